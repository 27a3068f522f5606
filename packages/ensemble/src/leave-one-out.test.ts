import { expect, test } from "vitest";
import { counted } from "../test/counted.ts";
import golden from "../test/fixtures/greedy_golden.json" with { type: "json" };
import { blend } from "./blend.ts";
import { leaveOneOut } from "./leave-one-out.ts";

const { columns, folds, labels } = golden;
const members = golden.members.map((values, i) => ({ name: `m${i}`, values }));

for (const weights of ["uniform", "shared", "greedy"] as const)
  test(`with ${weights} weights, values equal those of blends made without each member`, () => {
    const bags = weights === "greedy" ? { bags: 1 } : {};
    const found = leaveOneOut(members, labels, { columns, folds, weights, ...bags });
    expect(found.map(({ name }) => name)).toEqual(members.map(({ name }) => name));
    for (const key of ["rmse", "value", "crossValidatedValue"] as const)
      expect(found.map((member) => member[key])).toBeAllClose(
        golden.leaveOneOut[weights].map((member) => member[key]),
        { rtol: 0, atol: 1e-8 },
      );
  });

test("is the difference of two blends, whatever the weights and the order", () => {
  const groups = [[0, 2], [1]];
  for (const options of [
    { weights: "group", groups },
    { weights: "column" },
    { weights: "pruned" },
    { weights: "greedy", seed: 3 },
  ] as const) {
    const whole = blend(members, labels, { columns, ...options });
    const found = leaveOneOut(members.toReversed(), labels, { columns, ...options });
    for (const { name, value, crossValidatedValue } of [found[0]!, found[5]!]) {
      const rest = blend(
        members.filter((member) => member.name !== name),
        labels,
        { columns, ...options },
      );
      expect(value).toBe(rest.rmse - whole.rmse);
      expect(crossValidatedValue).toBe(rest.crossValidatedRmse - whole.crossValidatedRmse);
    }
  }
});

test("reads every number of a member twice, to check and to use it, however many are left out", () => {
  const watched = counted(members);
  leaveOneOut(watched.members, labels, { columns, weights: "column" });
  expect(watched.reads()).toBe(2 * members.length * labels.length);
});

test("a poor member harms a uniform blend, and a twin is worth nothing to a fitted one", () => {
  const [good, twin] = ["good", "twin"].map((name) => ({ name, values: golden.members[0]! }));
  const poor = { name: "poor", values: golden.members[8]! };
  const uniform = leaveOneOut([good!, poor], labels, { columns });
  expect(uniform[1]!.crossValidatedValue).toBeLessThan(-0.01);
  expect(uniform[0]!.crossValidatedValue).toBeGreaterThan(0.01);
  const fitted = leaveOneOut([good!, twin!, poor], labels, { columns, weights: "shared" });
  expect(fitted[0]!.value).toBeCloseTo(0, 9);
  expect(fitted[1]!.value).toBeCloseTo(0, 9);
});

test("refuses a single member, and what blend refuses", () => {
  expect(() => leaveOneOut(members.slice(0, 1), labels, { columns })).toThrow(
    "leaveOneOut: expected at least 2 members, to leave one out, but got 1",
  );
  expect(() => leaveOneOut(members, labels, { columns, folds: 0 })).toThrow(
    "leaveOneOut: expected an integer of at least 2 for folds but got 0",
  );
});
