import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, expect, test } from "vitest";
import { spiralBatches, spiralModel, weightsOf } from "../test/spirals.ts";
import { adamw } from "./adamw.ts";
import {
  bestCheckpoint,
  latestCheckpoint,
  loadCheckpoint,
  restoreCheckpoint,
} from "./load-checkpoint.ts";
import { openMetrics } from "./metrics.ts";
import { nesterov } from "./nesterov.ts";
import { NonFiniteLossError } from "./non-finite-loss-error.ts";
import { saveCheckpoint } from "./save-checkpoint.ts";
import { cosineSchedule } from "./schedules.ts";
import { trainLoop } from "./train-loop.ts";
import { weightAverage } from "./weight-average.ts";

const root = mkdtempSync(join(tmpdir(), "gz-checkpoint-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = () => join(root, String(folders++));
const stepsIn = (folder: string) => readdirSync(folder).sort();

const digests = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]);

const tiny = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ name: "a", units: 2, inputShape: [3], kernelInitializer: "ones" }),
      tf.layers.dense({ name: "b", units: 1, kernelInitializer: "ones" }),
    ],
  });

/** Trains 20 steps in all, from the latest checkpoint if there is one, and ends after step `until`. */
async function train(
  folder: string,
  make: () => ReturnType<typeof adamw>,
  until = 20,
): Promise<void> {
  const model = spiralModel();
  const optimizer = make();
  const average = weightAverage(model);
  const path = await latestCheckpoint(folder);
  const checkpoint = path === undefined ? undefined : await loadCheckpoint(path);
  if (checkpoint) restoreCheckpoint(checkpoint, { model, optimizer, average });
  const startStep = checkpoint?.step ?? 0;
  const loop = trainLoop(model, spiralBatches(startStep), {
    optimizer,
    schedule: cosineSchedule({ peak: 0.02, warmup: 0.2 }),
    lossFn: tf.losses.meanSquaredError,
    phases: [{ fromStep: 0 }, { fromStep: 10, resetOptimizer: true }],
    startStep,
    steps: 20,
  });
  for await (const { step, loss } of loop) {
    average.update();
    if (step % 5 === 0)
      await saveCheckpoint(folder, { step, model, optimizer, average, meta: { seed: 7, loss } });
    if (step === until) return;
  }
}

test.each([
  ["adamw", () => adamw(), [3, 7, 12]],
  ["nesterov", () => nesterov(), [5, 10]], // 10 is where its velocity starts afresh
])("a run with %s that is interrupted anywhere ends in the same bytes", async (_, make, stops) => {
  const whole = newFolder();
  await train(whole, make);
  for (const until of stops) {
    const folder = newFolder();
    await train(folder, make, until); // steps past the last checkpoint are lost, as in a killed run
    await train(folder, make);
    for (const step of ["step-00000015", "step-00000020"])
      expect(digests(join(folder, step))).toEqual(digests(join(whole, step)));
  }
});

test("is in the safetensors format, byte for byte", async () => {
  const model = tf.sequential({
    layers: [tf.layers.dense({ name: "d", units: 1, inputShape: [2], kernelInitializer: "ones" })],
  });
  const path = await saveCheckpoint(newFolder(), { step: 0, model });
  const json =
    '{"d/kernel":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"d/bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}';
  const length = Math.ceil(json.length / 8) * 8;
  const expected = Buffer.concat([
    Buffer.from(new BigUint64Array([BigInt(length)]).buffer),
    Buffer.from(json.padEnd(length)),
    Buffer.from(Float32Array.of(1, 1, 0).buffer),
  ]);
  expect(readFileSync(join(path, "model.safetensors"))).toEqual(expected);
});

test("gives back step, meta and every value", async () => {
  const folder = newFolder();
  const model = tiny();
  const path = await saveCheckpoint(folder, {
    step: 12,
    model,
    meta: { recipe: { name: "x" }, seed: 3 },
  });
  expect(path).toBe(join(folder, "step-00000012"));
  const checkpoint = await loadCheckpoint(path);
  expect(checkpoint).toMatchObject({
    path,
    step: 12,
    best: false,
    meta: { recipe: { name: "x" }, seed: 3 },
  });
  expect(checkpoint).not.toHaveProperty("optimizer");
  expect(checkpoint.weights["a/kernel"]).toEqual({
    dtype: "float32",
    shape: [3, 2],
    data: new Float32Array(6).fill(1),
  });
  const other = tiny();
  other.setWeights(other.getWeights().map((weight) => weight.mul(0)));
  const tensors = tf.memory().numTensors;
  restoreCheckpoint(checkpoint, { model: other });
  expect(weightsOf(other)).toEqual(weightsOf(model));
  expect(tf.memory().numTensors).toBe(tensors);
});

test("fits the same model when nobody named its layers, or when one of them is frozen", async () => {
  const [first, second, frozen] = [
    spiralModel({ named: false }),
    spiralModel({ named: false }),
    spiralModel(),
  ];
  second.setWeights(second.getWeights().map((weight) => weight.mul(2)));
  const path = await saveCheckpoint(newFolder(), { step: 1, model: second });
  restoreCheckpoint(await loadCheckpoint(path), { model: first });
  expect(weightsOf(first)).toEqual(weightsOf(second));

  const named = spiralModel();
  named.setWeights(named.getWeights().map((weight) => weight.mul(3)));
  const namedPath = await saveCheckpoint(newFolder(), { step: 1, model: named });
  frozen.layers[0]!.trainable = false; // puts its weights last
  restoreCheckpoint(await loadCheckpoint(namedPath), { model: frozen });
  frozen.layers[0]!.trainable = true;
  expect(weightsOf(frozen)).toEqual(weightsOf(named));
});

test("fits models whose layers are nested, unnamed, frozen or used twice", async () => {
  const dense = (value: number, name?: string) =>
    tf.layers.dense({
      units: 1,
      useBias: false,
      inputShape: [1],
      kernelInitializer: tf.initializers.constant({ value }),
      ...(name && { name }),
    });
  const restored = async (make: (values: readonly number[]) => tf.LayersModel) => {
    const saved = await saveCheckpoint(newFolder(), { step: 1, model: make([1, 2, 3]) });
    const model = make([0, 0, 0]);
    model.layers[0]!.trainable = false;
    restoreCheckpoint(await loadCheckpoint(saved), { model });
    model.layers[0]!.trainable = true;
    return weightsOf(model);
  };
  const sequential = (layers: tf.layers.Layer[]) => tf.sequential({ layers });
  expect(await restored((values) => sequential(values.map((v) => dense(v))))).toEqual([1, 2, 3]);
  expect(
    await restored((values) => sequential(values.map((v) => sequential([dense(v, "a")])))),
  ).toEqual([1, 2, 3]);

  const shared = dense(7, "trunk");
  const twice = tf.sequential({ layers: [sequential([shared]), sequential([shared])] });
  const path = await saveCheckpoint(newFolder(), { step: 1, model: twice });
  expect(Object.keys((await loadCheckpoint(path)).weights)).toEqual(["trunk/kernel"]);
});

test("refuses to save behind a later checkpoint, and leaves what it cannot read", async () => {
  const folder = newFolder();
  const model = tiny();
  for (const step of [5, 6, 7]) await saveCheckpoint(folder, { step, model });
  await expect(saveCheckpoint(folder, { step: 4, model, best: true })).rejects.toThrow(
    `saveCheckpoint: expected at least 7, the latest in ${folder}, for step but got 4; to go on from an earlier one, remove those after it`,
  );
  await saveCheckpoint(folder, { step: 7, model }); // again is fine
  writeFileSync(join(folder, "step-00000005", "meta.json"), "");
  await saveCheckpoint(folder, { step: 8, model, keep: 1 });
  expect(stepsIn(folder)).toEqual(["step-00000005", "step-00000008"]);
});

test("keeps the last n and the best, whichever it is", async () => {
  const folder = newFolder();
  const model = tiny();
  const best: (string | undefined)[] = [];
  for (let step = 1; step <= 7; step++) {
    await saveCheckpoint(folder, { step, model, keep: 2, best: step === 1 || step === 3 });
    best.push((await bestCheckpoint(folder))?.slice(-1));
  }
  expect(best).toEqual(["1", "1", "3", "3", "3", "3", "3"]);
  expect(stepsIn(folder)).toEqual(["step-00000003", "step-00000006", "step-00000007"]);
  expect(await latestCheckpoint(folder)).toBe(join(folder, "step-00000007"));
  expect((await loadCheckpoint(join(folder, "step-00000003"))).best).toBe(true);
});

test("finds no checkpoint where there is none", async () => {
  expect(await latestCheckpoint(join(root, "nowhere"))).toBeUndefined();
  expect(await bestCheckpoint(join(root, "nowhere"))).toBeUndefined();
  await expect(loadCheckpoint(join(root, "nowhere"))).rejects.toThrow(
    /^loadCheckpoint: expected a checkpoint in .*nowhere but .*meta.json cannot be read$/,
  );
});

test("clears away what a killed run left, and never takes it for a checkpoint", async () => {
  const folder = newFolder();
  const model = tiny();
  await saveCheckpoint(folder, { step: 5, model });
  mkdirSync(join(folder, "step-00000010.tmp"));
  writeFileSync(join(folder, "step-00000010.tmp", "model.safetensors"), "half");
  writeFileSync(join(folder, "notes.txt"), "the user's own");
  expect(await latestCheckpoint(folder)).toBe(join(folder, "step-00000005"));
  await saveCheckpoint(folder, { step: 10, model });
  expect(stepsIn(folder)).toEqual(["notes.txt", "step-00000005", "step-00000010"]);
});

test("replaces a checkpoint of the same step, and survives a kill in between", async () => {
  const folder = newFolder();
  const model = tiny();
  await saveCheckpoint(folder, { step: 5, model, meta: 1 });
  const path = await saveCheckpoint(folder, { step: 5, model, meta: 2 });
  expect(stepsIn(folder)).toEqual(["step-00000005"]);
  expect((await loadCheckpoint(path)).meta).toBe(2);

  renameSync(path, `${path}.old`); // killed after the old one was set aside
  const latest = await latestCheckpoint(folder);
  expect((await loadCheckpoint(latest!)).meta).toBe(2);
  await saveCheckpoint(folder, { step: 5, model, meta: 3 });
  expect(stepsIn(folder)).toEqual(["step-00000005"]);

  mkdirSync(`${path}.old`); // killed before the old one was removed
  expect((await loadCheckpoint((await latestCheckpoint(folder))!)).meta).toBe(3);
  await saveCheckpoint(folder, { step: 6, model });
  expect(stepsIn(folder)).toEqual(["step-00000005", "step-00000006"]);
});

test("notices a file that is cut short, too long, damaged or missing", async () => {
  const path = await saveCheckpoint(newFolder(), { step: 5, model: tiny() });
  const file = join(path, "model.safetensors");
  const content = readFileSync(file);
  const load = () => loadCheckpoint(path).catch((error) => error.message);

  truncateSync(file, content.length - 3);
  expect(await load()).toBe(
    `loadCheckpoint: expected ${content.length} bytes in ${file} but got ${content.length - 3}: it is cut short; remove ${path} to go on from an earlier checkpoint`,
  );
  writeFileSync(file, Buffer.concat([content, Buffer.of(0)]));
  expect(await load()).toBe(
    `loadCheckpoint: expected ${content.length} bytes in ${file} but got ${content.length + 1}: it was changed; remove ${path} to go on from an earlier checkpoint`,
  );
  const flipped = Buffer.from(content);
  flipped[flipped.length - 1]! ^= 1;
  writeFileSync(file, flipped);
  expect(await load()).toMatch(
    /^loadCheckpoint: expected SHA-256 \w{64} of .*model.safetensors but got \w{64}: it is damaged; remove /,
  );
  rmSync(file);
  expect(await load()).toBe(
    `loadCheckpoint: expected the file ${file} but it is missing; remove ${path} to go on from an earlier checkpoint`,
  );
  writeFileSync(join(path, "meta.json"), '{"formatVersion": 1, "st');
  expect(await load()).toBe(
    `loadCheckpoint: expected JSON in ${join(path, "meta.json")} but it is cut short or damaged; remove ${path} to go on from an earlier checkpoint`,
  );
});

test("refuses another format version", async () => {
  const path = await saveCheckpoint(newFolder(), { step: 5, model: tiny() });
  const file = join(path, "meta.json");
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace('"formatVersion": 1', '"formatVersion": 2'),
  );
  await expect(loadCheckpoint(path)).rejects.toThrow(
    `loadCheckpoint: expected format version 1 in ${file} but got 2: it was written by another version of @gz/train`,
  );
});

test("refuses what does not fit the model, and changes nothing", async () => {
  const path = await saveCheckpoint(newFolder(), { step: 5, model: tiny(), optimizer: nesterov() });
  const checkpoint = await loadCheckpoint(path);
  const dense = (name: string, units: number, inputShape?: number[]) =>
    tf.layers.dense({ name, units, ...(inputShape && { inputShape }) });
  const restore = (layers: tf.layers.Layer[]) => {
    const model = tf.sequential({ layers });
    const before = weightsOf(model);
    try {
      restoreCheckpoint(checkpoint, { model });
    } catch (error) {
      expect(weightsOf(model)).toEqual(before);
      return (error as Error).message;
    }
  };
  expect(restore([dense("a", 2, [3]), dense("b", 2)])).toBe(
    `restoreCheckpoint: ${path}: expected float32 [2, 2] for weight b/kernel but got float32 [2, 1] (b/kernel)`,
  );
  expect(restore([dense("a", 2, [3])])).toBe(
    `restoreCheckpoint: ${path}: expected the model's 2 weights but got 4; missing: none; not in the model: b/kernel, b/bias`,
  );
  expect(restore([dense("a", 2, [3]), dense("b", 1), dense("c", 1)])).toBe(
    `restoreCheckpoint: ${path}: expected the model's 6 weights but got 4; missing: c/kernel, c/bias; not in the model: none`,
  );
  expect(
    restore([
      dense("a", 2, [3]),
      tf.layers.batchNormalization({ name: "b", scale: false, center: false }),
    ]),
  ).toBe(
    `restoreCheckpoint: ${path}: expected the model's 4 weights but got 4; missing: b/moving_mean, b/moving_variance; not in the model: b/kernel, b/bias`,
  );
  const model = tiny();
  expect(() => restoreCheckpoint(checkpoint, { model, optimizer: adamw() })).toThrow(
    `restoreCheckpoint: expected the state of adamw in ${path} but got nesterov`,
  );
  expect(() => restoreCheckpoint(checkpoint, { model, average: weightAverage(model) })).toThrow(
    `restoreCheckpoint: expected a moving average in ${path} but it was saved without`,
  );

  const optimizer = nesterov();
  const average = weightAverage(model);
  const both = await saveCheckpoint(newFolder(), { step: 1, model, optimizer, average });
  const values = weightsOf(model);
  model.setWeights(model.getWeights().map((weight) => weight.mul(2)));
  average.swap();
  const gradients = model.getWeights().map((weight) => tf.onesLike(weight));
  optimizer.apply(
    model.trainableWeights.map((w) => w.read() as tf.Variable),
    gradients,
    0.1,
  );
  const velocity = () => (optimizer.state()["velocity/0"] as tf.Tensor).dataSync();
  const before = velocity();
  const loaded = await loadCheckpoint(both);
  expect(() => restoreCheckpoint(loaded, { model, optimizer, average })).toThrow(
    "weightAverage: expected restore() after a second swap() but the average is in the model",
  );
  expect(velocity()).toEqual(before);
  expect(weightsOf(model)).not.toEqual(values);
});

test("never holds a weight that is not a number", async () => {
  const folder = newFolder();
  const model = tiny();
  await saveCheckpoint(folder, { step: 1, model });
  model.layers[1]!.setWeights([tf.tensor2d([[1], [NaN]]), tf.tensor1d([0])]);
  const error = await saveCheckpoint(folder, { step: 2, model }).catch((e) => e);
  expect(error).toBeInstanceOf(NonFiniteLossError);
  expect(error.step).toBe(2);
  expect(error.message).toMatch(
    /^saveCheckpoint: expected finite values but b\/kernel holds NaN or Infinity after step 2\. Go on from the last/,
  );
  expect(stepsIn(folder)).toEqual(["step-00000001"]);
});

function smallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "gz-small-disk-"));
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", path], {
      stdio: "ignore",
    });
    return path;
  } catch {
    rmSync(path, { recursive: true });
    console.log(
      "skipped: a full disk, which takes the right to mount a tmpfs (run as root on Linux)",
    );
    return undefined;
  }
}

const disk = smallDisk();
afterAll(() => {
  if (!disk) return;
  execFileSync("/bin/umount", [disk]);
  rmSync(disk, { recursive: true });
});

test.skipIf(!disk)(
  "a full disk leaves the earlier checkpoints and nothing half written",
  async () => {
    const model = spiralModel({ units: 150 }); // 92 kB, two fit
    const optimizer = nesterov();
    await saveCheckpoint(disk!, { step: 1, model, keep: 9 });
    await saveCheckpoint(disk!, { step: 2, model, keep: 9 });
    const before = digests(join(disk!, "step-00000002"));
    await expect(saveCheckpoint(disk!, { step: 3, model, optimizer, keep: 9 })).rejects.toThrow(
      `saveCheckpoint: expected room for ${join(disk!, "step-00000003")} but the disk is full; nothing of it was kept, earlier checkpoints are untouched`,
    );
    expect(stepsIn(disk!)).toEqual(["step-00000001", "step-00000002"]);
    expect(digests(join(disk!, "step-00000002"))).toEqual(before);
    rmSync(join(disk!, "step-00000001"), { recursive: true });
    await saveCheckpoint(disk!, { step: 3, model, optimizer, keep: 9 });
    expect(existsSync(join(disk!, "step-00000003", "meta.json"))).toBe(true);

    const metrics = openMetrics(join(disk!, "metrics.jsonl"));
    const write = () => metrics.write({ step: 1, text: "x".repeat(100_000) });
    expect(() => [write(), write(), write()]).toThrow(
      /^openMetrics: expected to write to .*metrics\.jsonl but got ENOSPC/,
    );
    metrics.close();
  },
);

test("says what is wrong with its arguments", async () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
  await expect(saveCheckpoint(root, { step: 1.5, model })).rejects.toThrow(
    "saveCheckpoint: expected an integer of at least 0 for step but got 1.5",
  );
  await expect(saveCheckpoint(root, { step: 1, model, keep: 0 })).rejects.toThrow(
    "saveCheckpoint: expected an integer of at least 1 for keep but got 0",
  );
});
