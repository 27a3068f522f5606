import * as backend from "@gz/backend";
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { readmeExample, runExample } from "../../../test/readme.ts";

test("exports one function", () => {
  expect(Object.keys(backend)).toEqual(["useBackend"]);
});

test("the README's example runs as pasted and learns", async () => {
  const readme = new URL("../README.md", import.meta.url);
  const example = (await readmeExample(readme)).replace("import * as tf from", "import tf from");
  const printed = await runExample(example, { "@gz/backend": backend, "@tensorflow/tfjs": tf });
  expect(printed[0]).toMatch(/^(tensorflow|webgpu|wasm) \d+\.\d+\.\d+ on /);
  const losses = printed.slice(1).map((line) => Number(/^step \d+ {2}loss (.*)$/.exec(line)![1]));
  expect(losses).toHaveLength(5);
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
});
