/** What the winner tried and dropped, as options of a recipe: convolutions against loops over their definition. */
import { localContrast, polarCoordinates } from "@gz/layers";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { initialize } from "../src/network/initialize.ts";
import { buildNetwork } from "../src/network/network.ts";
import { checkRecipe, loadRecipe, type PartsNetwork } from "../src/recipe/recipe.ts";

type Convolution = PartsNetwork["conv"][number];
const best = loadRecipe("best");
const conv = { filters: 2, size: 3, pool: false, std: 0.5, bias: 0.1 };

beforeAll(() => tf.setBackend("cpu"));

function smallRecipe(layer: object) {
  const network = { ...best.network, partSize: 12, conv: [{ ...conv, ...layer }], dense: [] };
  return checkRecipe({ ...best, input: { ...best.input, size: 14, angles: [0] }, network }, "test");
}

/** The parts that go into the first convolution of one view, and what comes out after its pooling. */
function through(layer: object) {
  const recipe = smallRecipe(layer);
  const network = buildNetwork(recipe, 1);
  initialize(network, recipe, 1, new Float32Array(37));
  const { model } = network;
  const output = (name: string) => model.getLayer(name).output as tf.SymbolicTensor;
  const last = model.layers.some(({ name }) => name === "pool1") ? "pool1" : "conv1_relu";
  const looked = tf.model({ inputs: model.inputs, outputs: [output("parts"), output(last)] });
  const views = tf.randomUniform([1, 1, 14, 14, 3], 0, 1, "float32", 5);
  const [parts, features] = looked.predict(views) as [tf.Tensor4D, tf.Tensor4D];
  const kernel = model.getLayer("conv1").getWeights()[0] as tf.Tensor4D;
  return {
    parts: parts.arraySync(),
    features: features.arraySync(),
    kernel: kernel.arraySync(),
  };
}

/** max(0, sum of a window times the filter + 0.1), every `stride` pixels. */
function convolve(part: number[][][], kernel: number[][][][], stride: number): number[][][] {
  const side = Math.floor((12 - 3) / stride) + 1;
  return grid(side, (y, x, filter) => {
    let sum = 0.1;
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++)
        for (let c = 0; c < 3; c++)
          sum += part[y * stride + i]![x * stride + j]![c]! * kernel[i]![j]![c]![filter]!;
    return Math.max(0, sum);
  });
}

/** The maximum over size x size windows, every `stride` pixels from the first; those at the end are cut by the border. */
function pool(map: number[][][], size: number, stride: number): number[][][] {
  return grid(Math.ceil(map.length / stride), (y, x, filter) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = y * stride; i < Math.min(y * stride + size, map.length); i++)
      for (let j = x * stride; j < Math.min(x * stride + size, map.length); j++)
        most = Math.max(most, map[i]![j]![filter]!);
    return most;
  });
}

function grid(side: number, value: (y: number, x: number, filter: number) => number) {
  const each = <T>(count: number, of: (i: number) => T) =>
    Array.from({ length: count }, (_, i) => of(i));
  return each(side, (y) => each(side, (x) => each(2, (filter) => value(y, x, filter))));
}

test.each<[string, Partial<Convolution>, side: number, pooling?: [size: number, stride: number]]>([
  ["a filter at every second pixel", { stride: 2 }, 5],
  ["a filter at every third pixel", { stride: 3 }, 4],
  ["pooling as it is", { pool: true }, 5, [2, 2]],
  ["overlapping pooling", { pool: { size: 3, stride: 2 } }, 5, [3, 2]],
  ["both", { stride: 3, pool: { size: 3, stride: 2 } }, 2, [3, 2]],
])("%s", (_, layer, side, pooling) => {
  const { parts, features, kernel } = through(layer);
  expect(features.length).toBe(8);
  const expected = parts.map((part) => {
    const map = convolve(part, kernel, layer.stride ?? 1);
    return pooling ? pool(map, ...pooling) : map;
  });
  expect(expected[0]!.length).toBe(side);
  expect(features.flat(3)).toBeAllClose(expected.flat(3), { rtol: 0, atol: 1e-5 });
});

test("overlapping pooling keeps the winner's sizes, and half the step with twice the filter does", () => {
  const sizes = (changes: { pool?: Convolution["pool"]; first?: object; input?: object }) => {
    if (best.network.kind !== "parts") throw new Error("expected the winner's network");
    const layers = best.network.conv.map((layer, i) => ({
      ...layer,
      ...(layer.pool && changes.pool && { pool: changes.pool }),
      ...(i === 0 && changes.first),
    }));
    const input = { ...best.input, ...changes.input };
    const partSize = (best.network.partSize * input.size) / best.input.size;
    const network = { ...best.network, conv: layers, partSize };
    const { model } = buildNetwork(checkRecipe({ ...best, input, network }, "test"), 1);
    const shapes = model.layers.slice(2, -8).map(({ outputShape }) => outputShape);
    model.dispose();
    return shapes;
  };
  expect(sizes({ pool: { size: 3, stride: 2 } })).toEqual(sizes({}));
  expect(sizes({ first: { size: 12, stride: 2 }, input: { size: 138 } })).toEqual(sizes({}));
});

test("local contrast is normalised before the network's own layers, of either kind", () => {
  const contrast = { mean: 2, deviation: 3, bias: 0.01 };
  const modern = loadRecipe("modern");
  for (const [recipe, shape] of [
    [smallRecipe({ pool: true }), [2, 1, 14, 14, 3]],
    [modern, [2, 2, 48, 48, 3]],
  ] as const) {
    const plain = buildNetwork(recipe, 1);
    initialize(plain, recipe, 1, new Float32Array(37).fill(0.1));
    const normalised = buildNetwork({ ...recipe, input: { ...recipe.input, contrast } }, 1);
    normalised.model.setWeights(plain.model.getWeights());
    const views = tf.randomUniform([...shape], 0, 1, "float32", 3);
    const outputs = normalised.model.predict(views) as tf.Tensor;
    const done = localContrast(contrast).apply(views) as tf.Tensor;
    const expected = (plain.model.predict(done) as tf.Tensor).dataSync();
    expect(outputs.dataSync()).toBeAllClose(expected, { rtol: 0, atol: 1e-6 });
    const without = (plain.model.predict(views) as tf.Tensor).dataSync();
    expect(Math.max(...expected.map((v, i) => Math.abs(v - without[i]!)))).toBeGreaterThan(1e-4);
  }
});

test("a residual network sees its views in polar coordinates, before their values are scaled", () => {
  const polar = { angles: 16, radii: 10, wrap: 3 };
  const tiny = loadRecipe("tiny");
  const plain = buildNetwork(tiny, 1);
  initialize(plain, tiny, 1, new Float32Array(37).fill(0.1));
  const { model } = buildNetwork({ ...tiny, input: { ...tiny.input, polar } }, 1);
  model.setWeights(plain.model.getWeights());
  const views = tf.randomUniform([2, 2, 40, 40, 3], 0, 1, "float32", 3);
  const seen = polarCoordinates(polar).apply(views) as tf.Tensor;
  expect(seen.shape).toEqual([2, 2, 22, 10, 3]);
  const expected = (plain.model.predict(seen) as tf.Tensor).dataSync();
  const outputs = (model.predict(views) as tf.Tensor).dataSync();
  expect(outputs).toBeAllClose(expected, { rtol: 0, atol: 1e-6 });
});

test("refuses polar coordinates where the network turns squares", () => {
  const polar = (recipe: typeof best) => () =>
    checkRecipe(
      { ...recipe, input: { ...recipe.input, polar: { angles: 16, radii: 8, wrap: 0 } } },
      "own.json",
    );
  const message = "recipe: expected a residual network without symmetries for input.polar but got";
  expect(polar(best)).toThrow(`${message} one of parts (in own.json)`);
  expect(polar(loadRecipe("modern"))).toThrow(`${message} one with symmetries (in own.json)`);
  expect(polar(loadRecipe("tiny"))().input.polar).toEqual({ angles: 16, radii: 8, wrap: 0 });
});

test.each([
  ["augment.noise", { augment: { ...best.augment, noise: -0.1 } }, ">=0", "-0.1"],
  ["augment.noise", { augment: { ...best.augment, noise: 25 } }, "<=1", "25"],
  [
    "input.contrast.bias",
    { input: { ...best.input, contrast: { mean: 2, deviation: 2, bias: 0 } } },
    ">0",
    "0",
  ],
  ["optimizer.momentum", { optimizer: { kind: "nesterov", momentum: 1 } }, "<1", "1"],
  ["schedule.warmup", { schedule: { kind: "cosine", peak: 0.1, warmup: 1 } }, "<1", "1"],
  ["augment.gamma", { augment: { ...best.augment, gamma: 0.5 } }, ">=1", "0.5"],
  ["augment.gamma", { augment: { ...best.augment, gamma: "2" } }, "number", '"2"'],
  [
    "network.conv.0.stride",
    { network: { ...best.network, conv: [{ ...conv, stride: 0 }] } },
    ">=1",
    "0",
  ],
])("refuses nonsense for %s", (key, changes, expected, got) => {
  expect(() => checkRecipe({ ...best, ...changes }, "own.json")).toThrow(
    `recipe: expected ${expected} for ${key} in own.json but got ${got}`,
  );
});

test("refuses spans that are not one for each view, or that training would not see", () => {
  const spans = (recipe: typeof best, span: number[]) => () =>
    checkRecipe({ ...recipe, input: { ...recipe.input, span } }, "own.json");
  expect(spans(best, [207, 424, 53])).toThrow(
    "recipe: expected one number, or one for each of 2 angles, for input.span but got 207, 424, 53 (in own.json)",
  );
  expect(spans(best, [207, 5])).toThrow(/expected .* for input\.span/);
  expect(spans(loadRecipe("modern"), [160, 424])).toThrow(
    "recipe: expected one number for input.span with network.symmetries, which trains on the first view alone, but got 160, 424 (in own.json)",
  );
  expect(spans(best, [207, 424])().input.span).toEqual([207, 424]);
});

test("refuses pooling that is neither yes, no, nor a size and a stride", () => {
  const network = { ...best.network, conv: [{ ...conv, pool: { size: 3 } }] };
  expect(() => checkRecipe({ ...best, network }, "own.json")).toThrow(
    /recipe: expected .* for network\.conv\.0\.pool/,
  );
});

test("refuses a clip-only phase before a softmax, which it would leave without a gradient", () => {
  const output = { ...best.output, normalize: "softmax" };
  expect(() => checkRecipe({ ...best, output }, "own.json")).toThrow(
    "recipe: expected 0 for output.clipSteps with output.normalize softmax, whose logits are no fractions, but got 625 (in own.json)",
  );
  const none = checkRecipe({ ...best, output: { ...output, clipSteps: 0 } }, "own.json");
  expect(none.output.normalize).toBe("softmax");
});

test("names keys that are missing or unknown", () => {
  const { batch: _, ...incomplete } = best;
  expect(() => checkRecipe(incomplete, "own.json")).toThrow(
    "recipe: expected batch in own.json but it is missing",
  );
  expect(() => checkRecipe({ ...best, optimizer: {} }, "own.json")).toThrow(
    "recipe: expected optimizer.kind in own.json but it is missing",
  );
  expect(() => checkRecipe({ ...best, input: { ...best.input, zoom: 2 } }, "own.json")).toThrow(
    "recipe: unknown key input.zoom in own.json",
  );
});
