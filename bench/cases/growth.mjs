import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createRng } from "@gz/augment";
import { blend, WINNER_TRANSFORMS } from "@gz/ensemble";
import { forward } from "../../apps/kaggle/dist/prediction/forward.js";
import { withGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave, summary, timed } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";

const STEP_TIME = fileURLToPath(new URL("../lib/step-time.mjs", import.meta.url));
/** Twice the work in at most this many times the time: a tenth is left to chance. */
const LINEAR = 2.2;

/** What twice as much of something costs, in time and memory: images, transforms, batch, threads, members. */
export default async function growth({ quick, note, row }) {
  const rounds = quick ? 1 : 5;
  const { line, recipe, model } = await openNetwork("tiny", "tensorflow");
  note(line);

  await withGalaxies(256, async (dataset) => {
    const pixels = { kind: "images", dataset: dataset.describe(), split: "train" };
    const predict = (images, transforms) => async () => {
      const rows = Uint32Array.from({ length: images }, (_, i) => i);
      const options = { model, recipe, pixels, images: rows, transforms };
      for await (const _ of forward(options));
    };
    const upright = WINNER_TRANSFORMS.slice(0, 1);
    await curve("images predicted", [64, 128, 256], (n) => predict(n, upright), { rounds }, row);
    const some = (n) => predict(32, WINNER_TRANSFORMS.slice(0, n));
    await curve("transforms of 32 images", [15, 30, 60], some, { rounds }, row);
  });

  const steps = {};
  for (const batch of [16, 32, 64])
    steps[batch] = (await openNetwork("tiny", "tensorflow", { batch })).training();
  await curve("galaxies a step", [16, 32, 64], (n) => steps[n], { rounds, times: 10 }, row);

  const { labels, members } = predictions(32);
  const weigh = (n) => () => blend(members.slice(0, n), labels, { columns: 37, weights: "shared" });
  await curve("members blended", [8, 16, 32], weigh, { rounds }, row);

  const withThreads = (threads) => async (times) => {
    const { stdout } = await promisify(execFile)(process.execPath, [STEP_TIME, threads, times]);
    return JSON.parse(stdout);
  };
  const { one, two } = await interleave(
    { one: withThreads(1), two: withThreads(2) },
    { rounds, times: 20 },
  );
  row(compare("2 threads of a step of modern", two, "1", one, { target: 1 }));
}

/** Each size beside half of it: the time, and what resident memory grew by until then. */
async function curve(what, sizes, work, { rounds, times = 1 }, row) {
  const memory = {};
  for (const size of sizes) {
    await work(size)();
    globalThis.gc();
    memory[size] = process.memoryUsage().rss / 2 ** 20;
  }
  const sides = Object.fromEntries(sizes.map((size) => [`n${size}`, timed(work(size))]));
  const blocks = await interleave(sides, { rounds, times });
  for (const [i, size] of sizes.entries()) {
    if (i === 0) continue;
    const half = sizes[i - 1];
    const [ours, theirs] = [blocks[`n${size}`], blocks[`n${half}`]];
    row(compare(`${size} ${what}`, ours, `${half}`, theirs, { target: LINEAR }));
    row({
      what: `${size} ${what}: resident memory`,
      unit: "MB",
      ours: summary([memory[size]]),
      beside: `${half}`,
      theirs: summary([memory[half]]),
      ratio: summary([memory[size] / memory[half]]),
      target: 2,
    });
  }
}

/** Labels of 2,000 galaxies, and members that err about them. */
function predictions(count) {
  const rng = createRng(1);
  const labels = Float32Array.from({ length: 2000 * 37 }, () => rng.uniform(0, 1));
  const members = Array.from({ length: count }, (_, i) => ({
    name: `m${i}`,
    values: labels.map((label) => label + rng.normal(0, 0.07)),
  }));
  return { labels, members };
}
