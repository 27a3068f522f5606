import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave, timed } from "../lib/measure.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "apps/kaggle/dist/main.js");
const LIGHT = ["augment", "views", "ensemble"];

/** How long until something happens: a package imported, and `kaggle train` at its first step. */
export default async function start({ quick, row }) {
  const nothing = () => node("0");
  const sides = { nothing: timed(nothing) };
  for (const name of LIGHT) sides[name] = timed(() => node(`await import("@gz/${name}")`));
  const times = await interleave(sides, { rounds: quick ? 3 : 9, times: 3 });
  for (const name of LIGHT) {
    const own = times[name].map((ms, i) => ms - times.nothing[i]);
    row(compare(`import "@gz/${name}", Node's own start less`, own, "", undefined, { most: 30 }));
  }

  await withGalaxies(200, async (_, data) => {
    const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
    let runs = 0;
    const train = async () => [await firstStep(data, join(folder, `run${runs++}`), folder)];
    await train(); // makes the pixel cache
    const load = timed(() =>
      node(`await (await import("@gz/backend")).useBackend({ prefer: "tensorflow" })`),
    );
    const { first, tensorflow } = await interleave(
      { first: train, tensorflow: load },
      { rounds: quick ? 1 : 5, times: 1 },
    );
    const own = first.map((ms, i) => ms - tensorflow[i]);
    const what = "kaggle train until its first step, TensorFlow's load less";
    row(compare(what, own, "", undefined, { unit: "s", scale: 1e-3, most: 3 }));
    row(compare("TensorFlow's load", tensorflow, "", undefined, { unit: "s", scale: 1e-3 }));
    await rm(folder, { recursive: true });
  });
}

async function node(program) {
  const child = spawn(
    process.execPath,
    ["--input-type=module", "--eval", `${program}; process.exit()`],
    {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`start: expected exit code 0 of ${program} but got ${code}`);
}

/** Milliseconds from the command until `train` makes its first step: its first line of metrics says how long ago that was. */
async function firstStep(data, out, cache) {
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [MAIN, "train", "--recipe", "modern", "--steps", "10", "--data", data, "--out", out],
    { env: { ...process.env, GZ_CACHE_DIR: cache }, stdio: "ignore" },
  );
  const metrics = join(out, "metrics.jsonl");
  let line;
  while (!line) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (child.exitCode || child.signalCode)
      throw new Error(
        `start: expected exit code 0 of train but got ${child.exitCode ?? child.signalCode}`,
      );
    if (existsSync(metrics)) [line] = /^.*"train".*$/m.exec(readFileSync(metrics, "utf8")) ?? [];
  }
  const ms = performance.now() - begin - JSON.parse(line).seconds * 1000;
  if (child.exitCode === null) await once(child, "exit");
  return ms;
}
