/** The first convolution gives the gradients of tf.layers.conv2d, without the one by the images unless somebody asks. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { initialize } from "../src/network/initialize.ts";
import { buildNetwork } from "../src/network/network.ts";
import { checkRecipe, loadRecipe, type Recipe } from "../src/recipe/recipe.ts";

beforeAll(() => tf.setBackend("cpu"));

const [best, modern] = [loadRecipe("best"), loadRecipe("modern")];
const conv = { filters: 4, size: 3, pool: false, std: 0.5, bias: 0.1 };
const small: Record<string, object> = {
  parts: {
    ...best,
    input: { ...best.input, size: 14, angles: [0] },
    network: { ...best.network, partSize: 12, conv: [conv, conv, conv], dense: [] },
  },
  residual: {
    ...modern,
    network: {
      ...modern.network,
      stem: { filters: 4, size: 5, stride: 2 },
      stages: [{ filters: 4, blocks: 1, stride: 1 }],
    },
  },
};

function network(recipe: Recipe, name: string) {
  const network = buildNetwork(recipe, 1);
  initialize(network, recipe, 1, new Float32Array(37).fill(0.3));
  return { model: network.model, first: network.model.getLayer(name) };
}

test.each([
  ["parts", "conv1"],
  ["residual", "stem"],
])("%s", async (kind, name) => {
  const recipe = checkRecipe(small[kind]!, "test");
  const { model, first } = network(recipe, name);
  const views = tf.randomUniform([2, 1, 14, 14, 3], 0, 1, "float32", 5);
  const convolutions = model.layers.filter((layer) => layer.getClassName() === "Conv2D").length;
  /** A gradient's values, and how many gradients by a convolution's input were made on the way. */
  const gradient = async (call: typeof first.call, by: "kernel" | "images") => {
    first.call = call;
    const forward = (x: tf.Tensor) => tf.sum<tf.Scalar>(tf.square(model.apply(x) as tf.Tensor));
    const kernel = first.weights[0]!.read() as tf.Variable;
    const { result, kernels } = await tf.profile(() =>
      by === "images"
        ? tf.grad(forward)(views)
        : tf.variableGrads(() => forward(views), [kernel]).grads[kernel.name]!,
    );
    const byInput = kernels.filter((kernel) => kernel.name === "Conv2DBackpropInput");
    return { values: (result as tf.Tensor).dataSync(), byInput: byInput.length };
  };
  const own = first.call;
  const usual = Object.getPrototypeOf(first).call;
  for (const by of ["kernel", "images"] as const) {
    const expected = await gradient(usual, by);
    expect(expected.byInput).toBe(convolutions);
    const { values, byInput } = await gradient(own, by);
    expect(values).toEqual(expected.values);
    expect(values.some((value) => value !== 0)).toBe(true);
    expect(byInput).toBe(by === "kernel" ? convolutions - 1 : convolutions);
  }
});
