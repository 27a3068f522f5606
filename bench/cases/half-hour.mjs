import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rmse } from "@gz/ensemble";
import { buildPixelCache, COLUMNS, openPixelCache, readPredictions } from "@gz/galaxies";
import { splitRows } from "../../apps/kaggle/dist/images/split.js";
import { readMetrics, throughput } from "../../apps/kaggle/dist/run/metrics.js";
import { withRealGalaxies } from "../lib/galaxies.mjs";
import { compare } from "../lib/measure.mjs";
import { startPeer } from "../lib/peer.mjs";
import { versions } from "./best.mjs";

const MAIN = fileURLToPath(new URL("../../apps/kaggle/dist/main.js", import.meta.url));
const SEED = 1;
/** Synthetic galaxies where there are no real ones. */
const FEW = 400;

/** What half an hour buys: `modern` and a network in PyTorch, one after the other, judged on the same galaxies. */
export default async function halfHour({ quick, note, row }) {
  const minutes = quick ? 1 : 30;
  await withRealGalaxies(FEW, async (dataset, data) => {
    const split = splitRows(dataset.trainIds.length);
    const theirs = await trainPeer(dataset, split, minutes, note);
    const ours = await trainModern(dataset, data, split, minutes, note);
    note(
      `${dataset.name}: ${split.train} galaxies train, ${split.valid} validate; ${minutes} minutes each, seed ${SEED}`,
    );
    const line = (what, key, unit, target) =>
      row(compare(what, [ours[key]], "PyTorch", theirs && [theirs[key]], { unit, target }));
    line("modern: steps", "steps", "");
    line("modern: validation RMSE, one transform", "one", "RMSE");
    line("modern: validation RMSE, averaged (60; 48)", "averaged", "RMSE", 0.96);
  });
}

async function trainPeer(dataset, split, minutes, note) {
  const { file } = await buildPixelCache(dataset, "train", { shrink: 2 });
  const cache = openPixelCache(file);
  const peer = await startPeer("half_hour", {
    pixels: { file, ...cache.header },
    labels: [...dataset.labels],
    train: split.train,
    minutes,
    seed: SEED,
  });
  cache.close();
  if (!peer) return undefined;
  note(versions(peer));
  const result = await peer.value("train");
  await peer.stop();
  note(`PyTorch's network has ${result.parameters.toLocaleString("en")} parameters`);
  return result;
}

/** As a user does it: trained and predicted by the command line. */
async function trainModern(dataset, data, split, minutes, note) {
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  const run = join(folder, "modern");
  const kaggle = (...words) => promisify(execFile)(process.execPath, [MAIN, ...words]);
  try {
    const { stderr } = await kaggle(
      ...["train", "--recipe", "modern", "--minutes", `${minutes}`, "--seed", `${SEED}`],
      ...["--data", data, "--backend", "tensorflow", "--out", run],
    );
    for (const line of stderr.split("\n").slice(0, 2)) note(line);
    const truth = dataset.labels.subarray(split.train * COLUMNS.length);
    await kaggle("predict", "--run", run, "--split", "valid");
    const error = async (file) =>
      rmse((await readPredictions(join(run, "predictions", file))).values, truth);
    return {
      steps: throughput(readMetrics(join(run, "metrics.jsonl"))).steps,
      one: await error("valid.single.csv"),
      averaged: await error("valid.csv"),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
