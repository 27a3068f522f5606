// A contact sheet of synthetic galaxies, each with the answer most volunteers give first.
//   node examples/contact-sheet.mjs [sheet.jpg] [seed]
import { createRng } from "@gz/augment";
import { galaxyVotes, KAGGLE_TREE, renderGalaxy, sampleGalaxy } from "@gz/galaxies";
import sharp from "sharp";

const [file = "contact-sheet.jpg", seed = "1"] = process.argv.slice(2);
const columns = 8;
const rows = 4;
const side = 144;

const answers = new Map();
const tiles = [];
for (let i = 0; i < columns * rows; i++) {
  const galaxy = sampleGalaxy(createRng(Number(seed), i, 0));
  const { data } = renderGalaxy(galaxy, { rng: createRng(Number(seed), i, 1) });
  const raw = { width: 424, height: 424, channels: 3 };
  const input = await sharp(data, { raw }).resize(side, side).png().toBuffer();
  tiles.push({ input, left: side * (i % columns), top: side * Math.floor(i / columns) });

  const first = galaxyVotes(galaxy).subarray(0, 3);
  const answer = KAGGLE_TREE[0].answerTexts[first.indexOf(Math.max(...first))];
  answers.set(answer, (answers.get(answer) ?? 0) + 1);
}

const create = { width: side * columns, height: side * rows, channels: 3, background: "black" };
await sharp({ create }).composite(tiles).jpeg({ quality: 88 }).toFile(file);
for (const [answer, count] of answers) console.log(`${answer}: ${count}`);
console.log(`wrote ${file}`);
