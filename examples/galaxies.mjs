// A galaxy that never was, drawn on the terminal, and what volunteers would say of it.
import { compose, createRng, scaling, translation, warp } from "@gz/augment";
import { COLUMNS, galaxyVotes, KAGGLE_TREE, renderGalaxy, sampleGalaxy } from "@gz/galaxies";

const seed = Number(process.argv[2] ?? 5); // another number, another galaxy
const galaxy = sampleGalaxy(createRng(seed));
const image = renderGalaxy(galaxy, { rng: createRng(seed, 1) }); // uint8 [424, 424, 3]

// The middle half; a character is twice as high as wide.
const affine = compose(translation(106, 106), scaling(212 / 64, 212 / 32));
const small = warp(image, affine, { height: 32, width: 64 });
const ink = (y) => (_, x) => " .:-=+*#%@"[Math.floor(9.99 * Math.sqrt(small.get(y, x, 1)))];
for (let y = 0; y < 32; y++) console.log(Array.from({ length: 64 }, ink(y)).join(""));

const votes = galaxyVotes(galaxy);
for (const { text, answers, answerTexts } of KAGGLE_TREE) {
  const shares = answers.map((answer) => votes[COLUMNS.indexOf(answer)]);
  const best = shares.indexOf(Math.max(...shares));
  if (shares[best] > 0.1)
    console.log(`${text} ${answerTexts[best]} (${(100 * shares[best]).toFixed(0)} %)`);
}
