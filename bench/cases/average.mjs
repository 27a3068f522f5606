import { WINNER_TRANSFORMS } from "@gz/ensemble";
import { forward, forwardEach } from "../../apps/kaggle/dist/prediction/forward.js";
import { withGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

const IMAGES = 32;

/** The winner's 60 transforms through his network: parts that transforms share computed once, beside all of them anew. */
export default async function average({ quick, note, row }) {
  const { line, recipe, model } = await openNetwork("best", "tensorflow");
  note(line);
  await withGalaxies(IMAGES, async (dataset) => {
    const options = {
      model,
      recipe,
      pixels: { kind: "images", dataset: dataset.describe(), split: "train" },
      images: Uint32Array.from({ length: IMAGES }, (_, i) => i),
      transforms: WINNER_TRANSFORMS,
    };
    const collect = async (outputs) => {
      const all = [];
      for await (const { outputs: values } of outputs) all.push(...values);
      return all;
    };
    const [once, anew] = [await collect(forward(options)), await collect(forwardEach(options))];
    const difference = Math.max(...once.map((value, i) => Math.abs(value - anew[i])));
    if (difference > 1e-6)
      throw new Error(`average: expected the same to 1e-6 but got a difference of ${difference}`);
    note(`the largest difference between the two: ${difference.toExponential(1)}`);
    const sides = {
      once: timed(() => collect(forward(options))),
      anew: timed(() => collect(forwardEach(options))),
    };
    const times = await interleave(sides, { rounds: quick ? 1 : 3, times: 1 });
    const what = `best: ${IMAGES} galaxies under 60 transforms`;
    row(compare(what, times.once, "each anew", times.anew, { target: 0.34 }));
  });
}
