import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs";
import { afterAll, expect, test, vi } from "vitest";
import { SHAPES, spiralBatch, spiralModel, WORKER, weightsOf } from "../test/spirals.ts";
import { backgroundLoader } from "./background-loader.ts";
import { nesterov } from "./nesterov.ts";
import { trainLoop } from "./train-loop.ts";

const folder = await mkdtemp(join(tmpdir(), "gz-loader-"));
afterAll(() => rm(folder, { recursive: true }));

function workerFile(name: string, source: string): URL {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, source);
  return pathToFileURL(file);
}

const loader = (workerData: object = {}, rest: object = {}) =>
  backgroundLoader({ worker: WORKER, workerData, batch: SHAPES, ...rest });

test.each([1, 2, 3])(
  "%i workers give the same batches in the order of their steps",
  async (workers) => {
    let step = 5;
    for await (const batch of loader({ unevenMs: 8 }, { workers, startStep: 5, steps: 25 })) {
      expect(batch.step).toBe(step);
      expect(batch.xs.shape).toEqual([32, 2]);
      expect(batch.waitMs).toBeGreaterThanOrEqual(0);
      const expected = spiralBatch(step++);
      expect(batch.xs.data).toEqual(expected.xs.data);
      expect(batch.ys.data).toEqual(expected.ys.data);
    }
    expect(step).toBe(25);
  },
);

test("one iteration, and leaving it before its first batch closes it", async () => {
  const once = loader({}, { steps: 3 });
  let batches = 0;
  for await (const _ of once) batches++;
  expect(batches).toBe(3);
  expect(() => once[Symbol.asyncIterator]()).toThrow(
    "backgroundLoader: expected one iteration but this is the second",
  );
  const left = loader({}, { steps: 3 });
  const iterator = left[Symbol.asyncIterator]();
  await iterator.return!();
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("a run fed by workers is the run fed by this thread", async () => {
  const run = async (workers: number | undefined) => {
    const model = spiralModel();
    const batches = workers
      ? loader({ unevenMs: 3 }, { workers })
      : [0, 1, 2, 3, 4, 5].map((s) => spiralBatch(s));
    const loop = trainLoop(model, batches, {
      optimizer: nesterov(),
      schedule: () => 0.1,
      lossFn: tf.losses.meanSquaredError,
      steps: 6,
    });
    for await (const _ of loop);
    return weightsOf(model);
  };
  const expected = await run(undefined);
  expect(await run(1)).toEqual(expected);
  expect(await run(3)).toEqual(expected);
});

test("works ahead up to its depth and no further, and keeps off the batch in use", async () => {
  // Counts its calls where this thread sees it.
  const worker = workerFile(
    "counting",
    `import { workerData } from "node:worker_threads";
     export default ({ step, xs }) => { Atomics.add(workerData, 0, 1); return xs.fill(step); };`,
  );
  const calls = new Int32Array(new SharedArrayBuffer(4));
  const counting = backgroundLoader({
    worker,
    workerData: calls,
    batch: { xs: [100] },
    workers: 2,
    depth: 4,
  });
  for await (const { step, xs } of counting) {
    await vi.waitFor(() => expect(calls[0]).toBe(step + 4), { timeout: 10_000, interval: 5 });
    await sleep(20);
    expect(calls[0]).toBe(step + 4);
    expect(new Set(xs.data)).toEqual(new Set([step]));
    if (step === 6) break;
  }
});

test("measures the wait: long for a slow worker, short for a slow consumer", async () => {
  const waits = async (delayMs: number, useMs: number) => {
    const times: number[] = [];
    for await (const { waitMs } of loader({ delayMs }, { steps: 6 })) {
      times.push(waitMs);
      await sleep(useMs);
    }
    return times.slice(1).sort((a, b) => a - b)[2]!; // the median, without the workers' start
  };
  expect(await waits(60, 0)).toBeGreaterThan(45);
  expect(await waits(0, 60)).toBeLessThan(20);
});

test("holds on to nothing, however many batches it has given", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const worker = workerFile("quick", "export default ({ step, xs }) => { xs[0] = step; };");
  const heap: number[] = [];
  for await (const { step } of backgroundLoader({ worker, batch: { xs: [1] }, steps: 6001 })) {
    if (step !== 1000 && step !== 6000) continue;
    collect();
    heap.push(process.memoryUsage().heapUsed);
  }
  expect((heap[1]! - heap[0]!) / 5000).toBeLessThan(100); // bytes a batch
});

test("an error in a worker comes with its message and step, after the batches before it", async () => {
  const seen: number[] = [];
  const failing = (async () => {
    for await (const { step } of loader({ failAt: 4 }, { workers: 3 })) seen.push(step);
  })();
  await expect(failing).rejects.toThrow("backgroundLoader: step 4: a galaxy has no image");
  expect(seen).toEqual([0, 1, 2, 3]);
});

test("a worker that cannot start, dies or exports no function is an error, not a wait", async () => {
  const first = async (worker: URL, workerData: object = {}, workers = 1) => {
    const batches = backgroundLoader({ worker, workerData, batch: SHAPES, workers });
    for await (const { step } of batches) if (step === 50) return "50 batches";
  };
  for (const workers of [1, 3]) {
    await expect(
      first(workerFile("throws", "throw new Error('no data here')"), {}, workers),
    ).rejects.toThrow("backgroundLoader: step 0: no data here");
    await expect(first(pathToFileURL(join(folder, "missing.mjs")), {}, workers)).rejects.toThrow(
      /^backgroundLoader: step 0: Cannot find module .*missing\.mjs/,
    );
    await expect(first(WORKER, { exitAt: 3 }, workers)).rejects.toThrow(
      "backgroundLoader: step 3: worker exited with code: 3",
    );
  }
  await expect(first(workerFile("empty", "export const fill = 1;"))).rejects.toThrow(
    /^backgroundLoader: step 0: No handler function exported from .*empty\.mjs$/,
  );
});

test("close ends the workers at once, in the middle of a batch too", async () => {
  const endless = workerFile("endless", "export default ({ step }) => { while (step > 1); };");
  const batches = backgroundLoader({ worker: endless, batch: SHAPES, workers: 2 });
  const seen: number[] = [];
  const consumer = (async () => {
    for await (const { step } of batches) seen.push(step);
  })();
  await vi.waitFor(() => expect(seen).toEqual([0, 1]), { timeout: 10_000, interval: 5 });
  await sleep(50);
  const asked = performance.now();
  await batches.close();
  await consumer; // ends without an error
  expect(performance.now() - asked).toBeLessThan(2000);
  await batches.close(); // twice does no harm
});

test("says what is wrong with its arguments", () => {
  const make = (rest: object) => () => loader({}, rest);
  expect(make({ worker: "worker.mjs" })).toThrow(
    'backgroundLoader: expected a file URL for worker but got "worker.mjs"',
  );
  expect(make({ worker: new URL("https://example.org/worker.mjs") })).toThrow(
    "backgroundLoader: expected a file URL for worker but got https://example.org/worker.mjs",
  );
  expect(make({ batch: { step: [1] } })).toThrow(
    "backgroundLoader: expected names other than step and waitMs in batch but got step",
  );
  expect(make({ batch: { xs: [32, 0] } })).toThrow(
    "backgroundLoader: expected an integer of at least 1 for batch.xs but got 0",
  );
  for (const [name, least] of [
    ["workers", 1],
    ["depth", 2],
    ["startStep", 0],
    ["steps", 1],
  ] as const)
    expect(make({ [name]: least - 1 })).toThrow(
      `backgroundLoader: expected an integer of at least ${least} for ${name} but got ${least - 1}`,
    );
});
