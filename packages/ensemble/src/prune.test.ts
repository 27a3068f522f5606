import { createRng } from "@gz/augment";
import { expect, test } from "vitest";
import golden from "../test/fixtures/blend_golden.json" with { type: "json" };
import { blend } from "./blend.ts";
import { prune } from "./prune.ts";

const { columns, labels } = golden;
const members = golden.members.map((values, i) => ({ name: `m${i}`, values }));

test("with uniform weights, a poor member is dropped and the reason gives both scores", () => {
  const { kept, dropped, crossValidatedRmse } = prune(members, labels, { columns });
  expect(kept).toEqual(["m0", "m1", "m2"]);
  expect(dropped).toHaveLength(1);
  const three = blend(members.slice(0, 3), labels, { columns }).rmse;
  expect(dropped[0]).toEqual({
    name: "m3",
    reason: `the other 3 score ${three.toFixed(5)} without it, ${golden.uniformRmse.toFixed(5)} with it`,
    rmseWith: expect.closeTo(golden.uniformRmse, 12),
    rmseWithout: expect.closeTo(three, 12),
  });
  expect(crossValidatedRmse).toBe(dropped[0]!.rmseWithout);
});

test("with fitted weights, members of no weight are dropped", () => {
  const { kept, dropped } = prune(members, labels, { columns, weights: "shared" });
  expect(kept).toEqual(["m0", "m1", "m2"]);
  expect(dropped.map(({ name, reason }) => [name, reason])).toEqual([
    ["m3", "has weight 0 beside the other 3"],
  ]);
});

test("of equal members one stays: the first", () => {
  const rng = createRng(3);
  const y = Array.from({ length: 60 }, () => rng.uniform(0, 1));
  const noisy = (std: number) => y.map((v) => v + rng.normal(0, std));
  const a = noisy(0.1);
  const b = noisy(0.1);
  const list = [
    { name: "a", values: a },
    { name: "a again", values: a },
    { name: "b", values: b },
  ];
  const { kept, dropped } = prune(list, y, { columns: 3, weights: "shared" });
  expect(kept).toEqual(["a", "b"]);
  expect(dropped.map(({ name }) => name)).toEqual(["a again"]);
  expect(dropped[0]!.reason).toMatch(/^the other 2 score the same without it, 0\.\d{5}$/);
});

test("members that all contribute all stay, and the last one always does", () => {
  const { kept, dropped } = prune(members.slice(0, 3), labels, { columns, weights: "shared" });
  expect(kept).toEqual(["m0", "m1", "m2"]);
  expect(dropped).toEqual([]);
  const twins = ["x", "y", "z"].map((name) => ({ name, values: labels }));
  expect(prune(twins, labels, { columns }).kept).toEqual(["x"]);
});

test("no member kept can be left out with profit, whatever the weights", () => {
  const rng = createRng(11);
  const y = Array.from({ length: 200 }, () => rng.uniform(0, 1));
  const list = Array.from({ length: 7 }, (_, i) => ({
    name: `${i}`,
    values: y.map((v) => v + rng.normal(0, 0.05 + 0.05 * i)),
  }));
  for (const weights of ["uniform", "shared", "column"] as const) {
    const { kept, crossValidatedRmse } = prune(list, y, { columns: 4, weights, seed: 5 });
    for (const name of kept) {
      const rest = list.filter((m) => kept.includes(m.name) && m.name !== name);
      if (rest.length === 0) continue;
      const without = blend(rest, y, { columns: 4, weights, seed: 5 });
      expect(without.crossValidatedRmse).toBeGreaterThan(crossValidatedRmse);
    }
  }
});

test("checks its arguments as blend does", () => {
  expect(() => prune([], labels, { columns })).toThrow("prune: expected at least one member");
  expect(() => prune(members, labels, { columns, folds: 0 })).toThrow(
    "prune: expected an integer of at least 2 for folds but got 0",
  );
});
