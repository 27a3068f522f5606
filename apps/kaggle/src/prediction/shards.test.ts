import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "@gz/augment";
import { transforms, WINNER_TRANSFORMS } from "@gz/ensemble";
import { COLUMNS, writePredictions } from "@gz/galaxies";
import { expect, test } from "vitest";
import { isShardDone, joinShards, shardsOf, shardsOfPart } from "./shards.ts";

const options = {
  predictions: "/run/predictions",
  data: "/data",
  step: 100,
  transforms: WINNER_TRANSFORMS,
  size: 4,
  counts: { valid: 6, test: 9 },
};

test("covers every galaxy of both splits once", () => {
  const shards = shardsOf(options);
  expect(shards.map(({ split, first, count }) => [split, first, count])).toEqual([
    ["valid", 0, 4],
    ["valid", 4, 2],
    ["test", 0, 4],
    ["test", 4, 4],
    ["test", 8, 1],
  ]);
  expect(shards[3]!.file).toMatch(/\/predictions\/shards-[0-9a-f]{12}\/test-00000004\.csv$/);
  expect(new Set(shards.flatMap(({ file, single }) => [file, single])).size).toBe(10);
  expect(shardsOf({ ...options, counts: { valid: 0, test: 1 } })).toHaveLength(1);
  expect(isShardDone(shards[0]!)).toBe(false);
});

test("parts share the shards out, each to one", () => {
  const shards = shardsOf(options);
  const parts = [1, 2, 3].map((index) => shardsOfPart(shards, { index, of: 3 }));
  expect(parts.map((part) => part.length)).toEqual([2, 2, 1]);
  expect(new Set(parts.flat())).toEqual(new Set(shards));
});

test("shards of another step, data set, size or transforms lie elsewhere", () => {
  const others = [
    { step: 101 },
    { data: "/other" },
    { size: 6 },
    { transforms: transforms({ flips: [false, true] }) },
  ];
  const files = [{}, ...others].map((change) => shardsOf({ ...options, ...change })[0]!.file);
  expect(new Set(files).size).toBe(5);
});

test("joined shards are the file that one prediction would have written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gz-shards-"));
  try {
    const rng = createRng(1);
    const ids = Array.from({ length: 7 }, (_, i) => 100 + 3 * i);
    const values = Float32Array.from({ length: 7 * 37 }, () => rng.uniform(0, 1));
    const whole = join(folder, "whole.csv");
    await writePredictions(whole, ids, values);
    const files: string[] = [];
    for (const [from, to] of [
      [4, 7],
      [0, 4],
    ] as const) {
      files.push(join(folder, `${from}.csv`));
      await writePredictions(files.at(-1)!, ids.slice(from, to), values.slice(from * 37, to * 37));
    }
    await joinShards(files, join(folder, "joined.csv"), COLUMNS);
    expect(readFileSync(join(folder, "joined.csv"))).toEqual(readFileSync(whole));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
