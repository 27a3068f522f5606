import { createRng } from "@gz/augment";
import { expect, test } from "vitest";
import { counted } from "../test/counted.ts";
import golden from "../test/fixtures/greedy_golden.json" with { type: "json" };
import { applyBlend, type BlendOptions, blend } from "./blend.ts";
import { chooseBlend } from "./choose.ts";

const { columns, labels } = golden;
const members = golden.members.map((values, i) => ({ name: `m${i}`, values }));
const rows = labels.length / columns;
const kinds = ["uniform", "pruned", "greedy", "shared", "column"] as const;
const candidates: BlendOptions[] = kinds.map((weights) => ({ columns, weights, folds: 5 }));

/** Nested cross-validation row by row, by blends of the rows that are left: folds of blocks as large as each other. */
function nested(list: typeof members, truth: readonly number[], options: BlendOptions[]) {
  const size = truth.length / columns / 5;
  const chosen: number[] = [];
  let squares = 0;
  for (let fold = 0; fold < 5; fold++) {
    const held = (_: number, i: number) => Math.floor(i / columns / size) === fold;
    const rest = (_: number, i: number) => !held(_, i);
    const others = list.map(({ name, values }) => ({ name, values: values.filter(rest) }));
    const found = options.map((o) => blend(others, truth.filter(rest), { ...o, folds: 4 }));
    const scores = found.map(({ crossValidatedRmse }) => crossValidatedRmse);
    const best = scores.indexOf(Math.min(...scores));
    chosen.push(best);
    const own = list.map(({ name, values }) => ({ name, values: values.filter(held) }));
    const mine = truth.filter(held);
    applyBlend(found[best]!, own).forEach((value, i) => {
      squares += (value - mine[i]!) ** 2;
    });
  }
  return { chosen, rmse: Math.sqrt(squares / truth.length) };
}

test("takes the lowest cross-validated score, and scores that choice as one does row by row", () => {
  expect(rows % 5).toBe(0);
  const choice = chooseBlend(members, labels, candidates);
  expect(choice.blends).toEqual(candidates.map((options) => blend(members, labels, options)));
  const scores = choice.blends.map(({ crossValidatedRmse }) => crossValidatedRmse);
  expect(choice.chosen).toBe(scores.indexOf(Math.min(...scores)));
  const expected = nested(members, labels, candidates);
  expect(choice.withoutFold).toEqual(expected.chosen);
  // Not to the last digits: applyBlend writes float32.
  expect(choice.crossValidatedRmse).toBeCloseTo(expected.rmse, 6);
});

test("choosing among blends that are all alike looks better than it is, and the nested score says so", () => {
  // Twelve members that are noise about the truth: no weights are truly better than others.
  const rng = createRng(3);
  const truth = Array.from({ length: 60 }, () => rng.uniform());
  const list = Array.from({ length: 12 }, (_, i) => ({
    name: `m${i}`,
    values: truth.map((y) => y + rng.normal(0, 0.1)),
  }));
  const halves = list.map((_, i) => [list[i]!, list[(i + 5) % 12]!]);
  let flattered = 0;
  let honest = 0;
  for (const pair of halves) {
    const { blends, chosen, crossValidatedRmse } = chooseBlend(
      pair,
      truth,
      (["uniform", "pruned", "greedy", "shared"] as const).map((weights) => ({
        columns: 1,
        weights,
        seed: 2,
      })),
    );
    flattered += blends[chosen]!.crossValidatedRmse;
    honest += crossValidatedRmse;
  }
  expect(honest).toBeGreaterThan(flattered);
});

test("one that fits more weights than rows is taken only where all do; of equals the first is", () => {
  const few = labels.slice(0, 5 * columns);
  const list = members.slice(0, 3).map(({ name, values }) => ({
    name,
    values: values.slice(0, few.length),
  }));
  const folds = 5;
  const column: BlendOptions = { columns, weights: "column", folds };
  const uniform: BlendOptions = { columns, weights: "uniform", folds };
  expect(chooseBlend(list, few, [column, uniform])).toMatchObject({
    chosen: 1,
    withoutFold: [1, 1, 1, 1, 1],
  });
  expect(chooseBlend(list, few, [column]).chosen).toBe(0);
  expect(chooseBlend(list, few, [uniform, uniform]).chosen).toBe(0);
  // With nothing to choose, the nested score is the blend's own.
  const only = chooseBlend(list, few, [uniform]);
  expect(only.crossValidatedRmse).toBeCloseTo(only.blends[0]!.crossValidatedRmse, 12);
});

test("candidates of the same groups of columns share the pass over the rows", () => {
  const watched = counted(members);
  chooseBlend(watched.members, labels, candidates);
  // Each of the five checks every number; one pass is of all columns together, one of each alone.
  expect(watched.reads()).toBe((5 + 2) * members.length * labels.length);
});

test("says what candidates it cannot compare", () => {
  expect(() => chooseBlend(members, labels, [])).toThrow(
    "chooseBlend: expected at least one candidate for candidates but got none",
  );
  expect(() => chooseBlend(members, labels, [{ columns }, { columns, seed: 4 }])).toThrow(
    `chooseBlend: expected the same columns, folds and seed for every candidate but got ${columns}, 5 and undefined, then ${columns}, 5 and 4`,
  );
  expect(() => chooseBlend(members, labels, [{ columns, folds: 2 }])).toThrow(
    "chooseBlend: expected at least 3 folds, so that two are left to choose by, but got 2",
  );
  expect(() => chooseBlend(members, labels.slice(1), [{ columns }])).toThrow(
    `chooseBlend: expected a multiple of ${columns} columns`,
  );
});
