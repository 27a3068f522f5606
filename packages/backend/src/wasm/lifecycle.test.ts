// What only a process of its own shows: that it ends, leaves nothing behind, and computes the same bytes every time. Runs
// the built package (`npm test` builds first).
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { useWasm } from "./index.ts";

// Starts several processes.
const timeout = 240_000;
const run = promisify(execFile);
const script = new URL("../../test/train-on.mjs", import.meta.url).pathname;

interface Outcome {
  threads: number;
  device: string;
  losses: number[];
  checksum: number;
  worker: string;
}

async function trainOn(args: string[], node: string[] = [], TMPDIR = tmpdir()): Promise<Outcome> {
  const env = { ...process.env, TMPDIR };
  const { stdout } = await run(process.execPath, [...node, script, ...args], { env });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

test("trains as tfjs's cpu does, the same bytes with any number of threads, and the process ends", {
  timeout,
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "gz-"));
  const cpu = await trainOn(["cpu"]);
  const [one, two, again] = await Promise.all(
    ["1", "2", "2"].map((threads) => trainOn(["wasm", threads], [], folder)),
  );
  expect(two.losses).toBeAllClose(cpu.losses, { rtol: 1e-5 });
  expect(two).toEqual(again);
  expect({ ...one, threads: 2 }).toEqual(two);
  expect(one).toMatchObject({ threads: 1, device: "WebAssembly SIMD" });
  expect(two.worker).toBe("undefined"); // tfjs's glue code would leave a global Worker
  expect(readdirSync(folder)).toEqual([]);
  rmdirSync(folder);
});

test("where threads do not start one thread serves, and says why", { timeout }, async () => {
  const { threads, device, losses } = await trainOn(
    ["wasm", "2"],
    ["--import", "data:text/javascript,delete globalThis.SharedArrayBuffer"],
  );
  expect(threads).toBe(1);
  expect(device).toMatch(/^WebAssembly SIMD without threads \(.+\)$/);
  expect(losses[1]).toBeLessThan(losses[0]);
});

test("without SIMD it says so at once", async () => {
  const script = `
    import { useWasm } from ${JSON.stringify(new URL("../../dist/wasm/index.js", import.meta.url).href)};
    await useWasm({ threads: 1 }).then(() => console.log("started"), (error) => console.log(error.message));
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...["--no-enable-sse4-1", "--input-type=module", "--eval", script],
  ]);
  // Where the flag means nothing (other processors) there is SIMD.
  const expected =
    process.arch === "x64"
      ? "useWasm: expected WebAssembly SIMD but this machine has none"
      : "started";
  expect(stdout.trim().split("\n").at(-1)).toBe(expected);
});

test("starts again after it was removed", async () => {
  await useWasm({ threads: 2 });
  tf.removeBackend("wasm");
  expect((await useWasm({ threads: 2 })).threads).toBe(2);
});

test("runs on with the backend that is there, checks its argument", async () => {
  expect(await useWasm({ threads: 2 })).toEqual({ threads: 2, device: "WebAssembly SIMD" });
  const kept = tf.tensor1d([1, 2]);
  expect(await useWasm({ threads: 1 })).toEqual({ threads: 2, device: "WebAssembly SIMD" });
  expect([...kept.dataSync()]).toEqual([1, 2]);
  for (const threads of [0, 1.5, 9, Number.NaN])
    await expect(useWasm({ threads })).rejects.toThrow(
      `useWasm: expected 1 to 8 threads for threads but got ${threads}`,
    );
});

test("a hundred steps leave no tensor and no memory behind, and go the same way twice", async () => {
  await useWasm({ threads: 2 });
  const { conv2d, maxPooling2d, averagePooling2d, flatten, dense } = tf.layers;
  const train = (steps: number): { losses: number[]; grown: number[] } => {
    const kernelInitializer = tf.initializers.heNormal({ seed: 1 });
    const model = tf.sequential({
      layers: [
        conv2d({
          inputShape: [12, 12, 3],
          filters: 8,
          kernelSize: 3,
          strides: 2,
          padding: "same",
          activation: "relu",
          kernelInitializer,
        }),
        maxPooling2d({ poolSize: 2 }),
        conv2d({ filters: 4, kernelSize: 2, kernelInitializer }),
        averagePooling2d({ poolSize: 2, strides: 1 }),
        flatten(),
        dense({ units: 3, kernelInitializer }),
      ],
    });
    const xs = tf.randomNormal([8, 12, 12, 3], 0, 1, "float32", 2);
    const ys = tf.randomNormal([8, 3], 0, 1, "float32", 3);
    const optimizer = tf.train.adam(0.01);
    const losses: number[] = [];
    const counts = () => [tf.memory().numTensors, tf.backend().numDataIds(), heapBytes()];
    let warm: number[] = [];
    for (let step = 0; step < steps; step++) {
      if (step === 5) warm = counts();
      const loss = tf.tidy(
        () =>
          optimizer.minimize(
            () => tf.losses.meanSquaredError(ys, model.apply(xs) as tf.Tensor),
            true,
          )!,
      );
      losses.push(loss.dataSync()[0]);
      loss.dispose();
    }
    const grown = counts().map((n, i) => n - warm[i]);
    tf.dispose([xs, ys]);
    optimizer.dispose();
    model.dispose();
    return { losses, grown };
  };
  const first = train(100);
  expect(first.grown).toEqual([0, 0, 0]);
  expect(first.losses[99]).toBeLessThan(first.losses[0] / 2);
  expect(train(20).losses).toEqual(first.losses.slice(0, 20));
});

function heapBytes(): number {
  const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
  return wasm.HEAPU8.buffer.byteLength;
}
