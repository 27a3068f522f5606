/** Where a step's time goes: what the profiler sees of a loop, and train --profile as a user runs it. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSynthetic } from "@gz/galaxies";
import { nesterov, stepSchedule, trainLoop } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProfiler, type Profile, type Profiler } from "../src/training/profile.ts";
import { describeProfile, traceOf } from "../src/training/profile-report.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => tf.setBackend("cpu"));

/** Trains a dense layer for so many steps; returns the profile, and after how many steps it came. */
async function train(profiler: Profiler, steps: number) {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
  const optimizer = nesterov();
  const batches = Array.from({ length: steps }, () => ({
    xs: tf.ones([2, 4]),
    ys: tf.ones([2, 3]),
  }));
  let profile: Profile | undefined;
  let after = 0;
  const loop = trainLoop(model, batches, {
    optimizer,
    schedule: stepSchedule({ 0: 0.1 }),
    lossFn: tf.losses.meanSquaredError,
    steps,
    onStage: profiler.onStage,
  });
  for await (const { step } of loop) {
    const done = profiler.stepDone();
    profile ??= done;
    if (done) after = step;
  }
  optimizer.dispose();
  model.dispose();
  return { profile, after };
}

test("stages follow each other without gaps, and operations lie in them", async () => {
  const { profile, after } = await train(createProfiler({ warmUp: 2, count: 3 }), 8);
  expect(after).toBe(5);
  const { steps, stages, operations } = profile!;
  expect(steps).toBe(3);
  const names = ["between", "wait", "upload", "forward", "backward", "update", "loss"];
  expect(stages.map(({ name }) => name)).toEqual([...names, ...names, ...names]);
  for (const [i, { start, end }] of stages.entries()) {
    expect(end).toBeGreaterThanOrEqual(start);
    if (i > 0) expect(start).toBe(stages[i - 1]!.end);
  }
  for (const { stage, start, end, self } of operations) {
    const around = stages.find((span) => span.start <= start && end <= span.end)!;
    expect(around.name).toBe(stage);
    expect(self).toBeGreaterThanOrEqual(0);
    expect(self).toBeLessThanOrEqual(end - start);
  }
  const forward = operations.filter(({ stage }) => stage === "forward");
  const products = forward.filter(({ name }) => /MatMul/.test(name));
  expect(products.map(({ shapes }) => shapes)).toEqual(Array(3).fill("a 1x2x4, b 1x4x3, bias 3"));
});

test("nothing is recorded before, after, or in too short a run, and the engine is as it was", async () => {
  const { runKernel } = tf.engine();
  const profiler = createProfiler({ warmUp: 2, count: 3 });
  const short = await train(profiler, 2);
  expect(short.profile).toBeUndefined();
  expect(profiler.end()).toBeUndefined();
  expect(tf.engine().runKernel).toBe(runKernel);
  const ended = createProfiler({ warmUp: 2, count: 3 });
  await train(ended, 4);
  expect(ended.end()).toMatchObject({ steps: 2 });
  expect(ended.end()).toBeUndefined();
  expect(tf.engine().runKernel).toBe(runKernel);
});

const profile: Profile = {
  steps: 2,
  stages: [
    { name: "between", start: 100, end: 101 },
    { name: "wait", start: 101, end: 103 },
    { name: "forward", start: 103, end: 119 },
    { name: "loss", start: 119, end: 120 },
  ],
  operations: [
    { name: "Relu", stage: "forward", start: 104, end: 106, self: 2, shapes: "x 2x3" },
    { name: "Conv2D", stage: "forward", start: 106, end: 116, self: 6, shapes: "" },
    { name: "Relu", stage: "forward", start: 108, end: 112, self: 4, shapes: "" },
  ],
};

test("the table has means of a step, operations by their own time", () => {
  expect(describeProfile(profile)).toMatchInlineSnapshot(`
    [
      "profile: a step takes 10.0 ms, the mean of 2",
      "  wait                                 1.00 ms   10.0 %",
      "  upload                               0.00 ms    0.0 %",
      "  forward                              8.00 ms   80.0 %",
      "  backward                             0.00 ms    0.0 %",
      "  update                               0.00 ms    0.0 %",
      "  loss                                 0.50 ms    5.0 %",
      "  between                              0.50 ms    5.0 %",
      "of it in operations:",
      "  Relu                                 3.00 ms   30.0 %      1 calls",
      "  Conv2D                               3.00 ms   30.0 %      1 calls",
    ]
  `);
});

test("the trace has the steps on one line, in microseconds", () => {
  const { traceEvents } = traceOf(profile) as { traceEvents: Record<string, unknown>[] };
  const slices = traceEvents.filter(({ ph }) => ph === "X");
  expect(slices.map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
    ["between", 0, 1000],
    ["wait", 1000, 2000],
    ["forward", 3000, 16_000],
    ["loss", 19_000, 1000],
    ["Relu", 4000, 2000],
    ["Conv2D", 6000, 10_000],
    ["Relu", 8000, 4000],
  ]);
  expect(slices[4]).toMatchObject({ cat: "operation", pid: 1, tid: 1, args: { shapes: "x 2x3" } });
});

test("train --profile tells it and writes the trace", async () => {
  const data = join(root, "galaxies");
  await writeSynthetic(data, { train: 40, test: 0, seed: 6 });
  const recipe = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
  const out = join(root, "run");
  const args = ["--data", data, "--out", out, "--recipe", recipe, "--steps", "13", "--profile"];
  const outcome = await kaggle(["train", ...args, "--backend", "wasm", "--workers", "1"], {
    GZ_CACHE_DIR: join(root, "cache"),
  });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  // Ten steps warm up.
  expect(outcome.stderr).toMatch(/profile: a step takes \d+\.\d ms, the mean of 3\n {2}wait /);
  expect(outcome.stderr).toMatch(/\n {2}Conv2DBackpropFilter +\d+\.\d\d ms +\d+\.\d % +4 calls\n/);
  const file = join(out, "profile.json");
  expect(outcome.stderr).toContain(`the same on a time line: ${file}`);
  const { traceEvents } = JSON.parse(readFileSync(file, "utf8"));
  expect(traceEvents.filter(({ name }: { name: string }) => name === "backward")).toHaveLength(3);
});
