import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { afterAll, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** Written by the format's own Python library: test/fixtures/safetensors_golden.py. */
const GOLDEN = fileURLToPath(new URL("../test/fixtures/numpy.safetensors", import.meta.url));

const root = mkdtempSync(join(tmpdir(), "gz-safetensors-"));
afterAll(() => rmSync(root, { recursive: true }));

const metadata = { recipe: 'modern, "fast" é' };
const kernel = [0.1, -2.5, 3e-40, 1e30, 0, 7];

test("reads what Python's library wrote", async () => {
  const read = await readSafetensors(GOLDEN);
  expect(read.metadata).toEqual(metadata);
  expect(read.tensors).toEqual({
    "conv1/kernel": { dtype: "float32", shape: [2, 3], data: Float32Array.from(kernel) },
    "head/bias": { dtype: "float32", shape: [1], data: Float32Array.of(0.25) },
    updates: { dtype: "int32", shape: [], data: Int32Array.of(12345) },
  });
});

test("writes the same tensors and metadata as the same bytes", async () => {
  const path = join(root, "same.safetensors");
  const tensors = {
    "conv1/kernel": tf.tensor2d(kernel, [2, 3]),
    "head/bias": tf.tensor1d([0.25]),
  };
  const { bytes } = await writeSafetensors(path, { ...tensors, updates: 12345 }, { metadata });
  expect(readFileSync(path)).toEqual(readFileSync(GOLDEN));
  expect(bytes).toBe(readFileSync(GOLDEN).length);
});

test("says what is wrong with a file, and overwrites none", async () => {
  const golden = readFileSync(GOLDEN);
  const path = join(root, "wrong.safetensors");
  const read = (content: Buffer) => {
    writeFileSync(path, content);
    return readSafetensors(path).catch((error: Error) => error.message);
  };
  const expected = `readSafetensors: expected safetensors in ${path} but`;
  const withHeader = (json: string) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, Buffer.from(json), Buffer.alloc(8)]);
  };
  expect(await read(golden.subarray(0, 5))).toBe(
    `${expected} got 5 bytes, which is less than a header`,
  );
  expect(await read(golden.subarray(0, 100))).toBe(
    `${expected} got 100 bytes, which is less than a header`,
  );
  expect(await read(golden.subarray(0, golden.length - 2))).toMatch(
    /it is cut short: [\w/]+ ends at byte \d+ of \d+$/,
  );
  expect(await read(withHeader("{nothing"))).toContain(`${expected} its header is not JSON (`);
  expect(await read(withHeader("null"))).toBe(`${expected} its header is null`);
  expect(await read(withHeader('{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}'))).toBe(
    `${expected} a is "F16"; F32 and I32 are what TensorFlow.js holds`,
  );
  expect(await read(withHeader('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}'))).toBe(
    `${expected} a of shape [3] has 8 bytes`,
  );
  expect(await read(withHeader('{"a":null}'))).toBe(`${expected} a has no shape and data_offsets`);
  await expect(readSafetensors(join(root, "none"))).rejects.toThrow(
    `readSafetensors: expected the file ${join(root, "none")} but ENOENT`,
  );

  const before = readFileSync(path);
  await expect(writeSafetensors(path, { a: 1 })).rejects.toThrow("EEXIST");
  expect(readFileSync(path)).toEqual(before);
  const other = join(root, "other.safetensors");
  await expect(writeSafetensors(other, { flag: tf.scalar(true, "bool") })).rejects.toThrow(
    "writeSafetensors: expected float32 or int32 for flag but got bool",
  );
  await expect(writeSafetensors(other, { w: tf.tensor1d([1, Infinity]) })).rejects.toThrow(
    "writeSafetensors: expected finite values but w holds NaN or Infinity",
  );
  expect(existsSync(other), "nothing half-written is left").toBe(false);
});
