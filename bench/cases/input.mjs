import { buildPixelCache } from "@gz/galaxies";
import { backgroundLoader } from "@gz/train";
import { asTrained, inputShape } from "../../apps/kaggle/dist/images/input.js";
import { BATCH_WORKER, defaultWorkers } from "../../apps/kaggle/dist/prediction/forward.js";
import { withGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

const GALAXIES = 256;

/** Does training wait for its data? Steps on galaxies read, warped and coloured by workers, beside steps on one batch. */
export default async function input({ quick, note, row }) {
  const repetitions = { rounds: quick ? 3 : 7, times: quick ? 10 : 20 };
  await withGalaxies(GALAXIES, async (dataset, folder) => {
    for (const name of ["best", "modern"]) {
      const { line, recipe, training } = await openNetwork(name, "tensorflow");
      note(line);
      const loader = await openLoader(recipe, dataset, folder);
      const { data, none } = await interleave(
        { data: blockOf(training(loader)), none: blockOf(training()) },
        repetitions,
      );
      row(compare(`${name}: step with data, tensorflow`, data, "without", none, { target: 1.03 }));
      await loader.close();
    }
  });
}

/** The app's own loader: `best` decodes each image when it is drawn, `modern` reads shrunk pixels from a cache. */
async function openLoader(recipe, dataset, folder) {
  const { shrink } = recipe.input;
  const pixels =
    shrink === 1
      ? { kind: "images", dataset: dataset.describe(), split: "train" }
      : {
          kind: "cache",
          file: (await buildPixelCache(dataset, "train", { shrink, dir: folder })).file,
        };
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
