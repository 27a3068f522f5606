import { buildPixelCache } from "@gz/galaxies";
import { backgroundLoader } from "@gz/train";
import { asTrained, inputShape } from "../../apps/kaggle/dist/images/input.js";
import { BATCH_WORKER, defaultWorkers } from "../../apps/kaggle/dist/prediction/forward.js";
import { withGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

const GALAXIES = 256;

/** What is trained, and whether `prepare --full` has kept the decoded pixels; `modern` keeps those that it shrinks anyway. */
const WAYS = [
  { name: "best", decoded: false, what: "best: step with data, decoded when drawn" },
  { name: "best", decoded: true, what: "best: step with data, decoded by prepare --full" },
  { name: "modern", decoded: true, what: "modern: step with data" },
];

/** Does training wait for its data? Steps on galaxies read, warped and coloured by workers, beside steps on one batch. */
export default async function input({ quick, note, row }) {
  const repetitions = { rounds: quick ? 3 : 7, times: quick ? 10 : 20 };
  await withGalaxies(GALAXIES, async (dataset, folder) => {
    for (const { name, decoded, what } of WAYS) {
      const { line, recipe, training } = await openNetwork(name, "tensorflow");
      note(line);
      const loader = await openLoader(recipe, dataset, decoded && folder);
      const { data, none } = await interleave(
        { data: blockOf(training(loader)), none: blockOf(training()) },
        repetitions,
      );
      row(compare(what, data, "without", none, { target: 1.03 }));
      await loader.close();
    }
  });
}

/** The app's own loader, of images or of the pixel cache in `folder`. */
async function openLoader(recipe, dataset, folder) {
  const { shrink } = recipe.input;
  const pixels = folder
    ? {
        kind: "cache",
        file: (await buildPixelCache(dataset, "train", { shrink, dir: folder })).file,
      }
    : { kind: "images", dataset: dataset.describe(), split: "train" };
  const { labels } = dataset;
  const trained = asTrained(recipe);
  return backgroundLoader({
    worker: BATCH_WORKER,
    workerData: {
      recipe: trained,
      pixels,
      job: {
        kind: "train",
        seed: 1,
        rows: GALAXIES,
        labels,
        mixture: { batch: recipe.batch, pseudo: 0, fromStep: 0 },
      },
    },
    batch: { xs: inputShape(trained, recipe.batch), ys: [recipe.batch, 37] },
    workers: defaultWorkers(),
  });
}

/** One figure a block, its mean step: a wait that falls on one step in ten counts too. */
function blockOf(step) {
  return async (times) => {
    const start = performance.now();
    for (let i = 0; i < times; i++) await step();
    return [(performance.now() - start) / times];
  };
}
