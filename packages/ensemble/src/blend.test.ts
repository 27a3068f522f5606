import fc from "fast-check";
import { expect, test } from "vitest";
import golden from "../test/fixtures/blend_golden.json" with { type: "json" };
import many from "../test/fixtures/greedy_golden.json" with { type: "json" };
import { applyBlend, type Blend, type BlendOptions, blend, type Member } from "./blend.ts";
import { rmse } from "./rmse.ts";

const { columns, folds, labels } = golden;
const members: Member[] = golden.members.map((values, i) => ({ name: `m${i}`, values }));
const strategies: Omit<BlendOptions, "columns">[] = [
  { weights: "uniform" },
  { weights: "shared" },
  { weights: "column" },
  { weights: "group", groups: golden.groups },
  { weights: "pruned" },
];

for (const weights of ["shared", "column", "group"] as const)
  test(`${weights} weights and both scores equal those found by trying every set of members`, () => {
    const groups = weights === "group" ? { groups: golden.groups } : {};
    const found = blend(members, labels, { columns, weights, folds, ...groups });
    expect(found.weights.flat()).toBeAllClose(golden[weights].weights.flat(), { atol: 1e-7 });
    expect(found.rmse).toBeCloseTo(golden[weights].rmse, 9);
    expect(found.crossValidatedRmse).toBeCloseTo(golden[weights].crossValidatedRmse, 8);
    expect(found.names).toEqual(["m0", "m1", "m2", "m3"]);
  });

for (const weights of ["greedy", "pruned"] as const)
  test(`${weights} weights and both scores equal those found row by row`, () => {
    const list = many.members.map((values, i) => ({ name: `m${i}`, values }));
    const found = blend(list, many.labels, {
      columns: many.columns,
      folds: many.folds,
      weights,
      ...(weights === "greedy" && { bags: 1 }),
    });
    for (const row of found.weights) expect(row).toBeAllClose(many[weights].weights);
    expect(found.rmse).toBeCloseTo(many[weights].rmse, 12);
    expect(found.crossValidatedRmse).toBeCloseTo(many[weights].crossValidatedRmse, 12);
  });

test("says how many weights were fitted", () => {
  const fitted = (options: Omit<BlendOptions, "columns">, list = members) =>
    blend(list, labels, { columns, ...options }).fitted;
  expect(strategies.map((options) => fitted(options))).toEqual([0, 4, 20, 12, 4]);
  expect(fitted({ weights: "greedy" })).toBe(4);
  expect(fitted({ weights: "column" }, members.slice(0, 1))).toBe(0);
});

test("the order of the members changes nothing, to the bit", () => {
  const list = many.members.map((values, i) => ({ name: `m${i}`, values }));
  for (const weights of ["uniform", "pruned", "greedy", "shared", "column"] as const) {
    const options: BlendOptions = { columns: many.columns, weights, seed: 6 };
    const found = blend(list, many.labels, options);
    const turned = blend([...list.slice(4), ...list.slice(0, 4)], many.labels, options);
    expect(turned).toEqual({
      ...found,
      names: [...found.names.slice(4), ...found.names.slice(0, 4)],
      weights: found.weights.map((row) => [...row.slice(4), ...row.slice(0, 4)]),
    });
  }
});

test("bags are drawn from the seed, and their number matters", () => {
  const list = many.members.map((values, i) => ({ name: `m${i}`, values }));
  const weights = (options: Pick<BlendOptions, "bags" | "seed">) =>
    blend(list, many.labels, { columns: many.columns, weights: "greedy", ...options }).weights[0]!;
  expect(weights({})).toEqual(weights({ bags: 20, seed: 0 }));
  expect(weights({ seed: 1 })).not.toEqual(weights({ seed: 2 }));
  expect(weights({ bags: 3 })).not.toEqual(weights({ bags: 20 }));
});

test("uniform is the default, and has nothing to over-fit", () => {
  const found = blend(members, labels, { columns });
  expect(found.weights).toEqual(Array(5).fill([0.25, 0.25, 0.25, 0.25]));
  expect(found.rmse).toBeCloseTo(golden.uniformRmse, 12);
  expect(found.crossValidatedRmse).toBeCloseTo(golden.uniformRmse, 12);
});

test("more weights fit better and, on these data, predict worse: cross-validation shows it", () => {
  const shared = blend(members, labels, { columns, weights: "shared" });
  const column = blend(members, labels, { columns, weights: "column" });
  expect(column.rmse).toBeLessThan(shared.rmse);
  expect(column.crossValidatedRmse).toBeGreaterThan(shared.crossValidatedRmse);
});

test("a seed shuffles the rows into the folds, the same way each time", () => {
  const score = (seed?: number) =>
    blend(members, labels, {
      columns,
      weights: "column",
      ...(seed === undefined ? {} : { seed }),
    });
  expect(score(1)).toEqual(score(1));
  expect(score(1).weights.flat()).toBeAllClose(score().weights.flat());
  expect(score(1).crossValidatedRmse).not.toBe(score().crossValidatedRmse);
  expect(score(2).crossValidatedRmse).not.toBe(score(1).crossValidatedRmse);
});

test("whatever the data, weights lie on the simplex and neither a member nor the plain mean is better", () => {
  const value = fc.integer({ min: 0, max: 10 }).map((x) => x / 10);
  const data = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 2, max: 12 }))
    .chain(([size, rows]) =>
      fc.array(fc.array(value, { minLength: rows * 2, maxLength: rows * 2 }), {
        minLength: size + 1,
        maxLength: size + 1,
      }),
    );
  fc.assert(
    fc.property(
      data,
      fc.constantFrom("shared", "column", "greedy"),
      ([y, ...predictions], weights) => {
        const list = predictions.map((values, i) => ({ name: `${i}`, values }));
        const options = { columns: 2, folds: 2 };
        const found = blend(list, y!, {
          ...options,
          weights,
          ...(weights === "greedy" && { bags: 1 }),
        });
        for (const row of found.weights) {
          expect(row.every((w) => w >= 0)).toBe(true);
          expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        }
        const best = Math.min(...predictions.map((values) => rmse(values, y!)));
        expect(found.rmse).toBeLessThanOrEqual(best + 1e-7);
        expect(found.rmse).toBeLessThanOrEqual(blend(list, y!, options).rmse + 1e-7);
        // The score from Gram matrices is the score of the blend itself.
        expect(found.rmse).toBeCloseTo(rmse(applyBlend(found, list), y!), 6);
      },
    ),
    { numRuns: 500 },
  );
});

test("equal members share, and their blend is the member", () => {
  const values = golden.members[1]!;
  const twins = [
    { name: "a", values },
    { name: "b", values },
    { name: "c", values },
  ];
  for (const options of strategies) {
    const found = blend(twins, labels, { columns, ...options });
    expect(found.weights.flat()).toBeAllClose(Array(15).fill(1 / 3), { atol: 1e-5 });
    expect(applyBlend(found, twins)).toBeAllClose(values);
  }
});

test("a blend survives JSON and is applied by name, without the members of no weight", () => {
  const found: Blend = JSON.parse(
    JSON.stringify(blend(members, labels, { columns, weights: "shared" })),
  );
  const [m0, m1, m2, m3] = members as [Member, Member, Member, Member];
  expect(found.weights[0]![3]).toBe(0);
  const all = applyBlend(found, members);
  expect(applyBlend(found, [m2, m0, m1])).toEqual(all);
  const out = new Float32Array(labels.length);
  expect(applyBlend(found, [m3, m2, m1, m0], { out })).toBe(out);
  expect(out).toEqual(all);
  const byHand =
    m0.values[7]! * 0.49304454 + m1.values[7]! * 0.30726411 + m2.values[7]! * 0.19969135;
  expect(all[7]).toBeCloseTo(byHand, 6);
});

test("any number of columns, in groups too", () => {
  const wide = 200_000;
  const y = new Float32Array(2 * wide);
  const list = [1, 2].map((error) => ({
    name: `${error}`,
    values: y.map((_, i) => (i % 2 ? error : -error)),
  }));
  const all = Array.from({ length: wide }, (_, column) => column);
  const groups = [all.filter((c) => c % 2 === 0), all.filter((c) => c % 2 === 1)];
  const found = blend(list, y, { columns: wide, folds: 2, weights: "group", groups });
  expect(found).toMatchObject({ fitted: 4, rmse: 1, crossValidatedRmse: 1 });
  expect(found.weights).toHaveLength(wide);
  expect(blend(list, y, { columns: wide, folds: 2 }).rmse).toBe(1.5);
});

test("errors too large to square are refused by their member's name, not made NaN", () => {
  const y = [0, 0, 0, 0];
  const list = [
    { name: "good", values: [1, -1, 1, -1] },
    { name: "diverged", values: [1, 1e200, 1, 1] },
  ];
  for (const weights of ["uniform", "greedy", "shared", "column"] as const)
    expect(() => blend(list, y, { columns: 1, folds: 2, weights })).toThrow(
      new RangeError(
        'blend: expected errors whose squares have a finite sum for member "diverged" but got Infinity',
      ),
    );
  // What can be squared still gets its weight: none.
  const large = [list[0]!, { name: "diverged", values: [1e20, 1e20, 1e20, 1e20] }];
  expect(blend(large, y, { columns: 1, folds: 2, weights: "shared" }).weights[0]).toBeAllClose([
    1, 0,
  ]);
});

test("blend refuses what does not fit, by name", () => {
  const two: Member[] = [
    { name: "a", values: [0, 1, 0, 1] },
    { name: "b", values: [1, 1, 0, 0] },
  ];
  const y = [0, 1, 0, 1];
  const run = (list: Member[], truth: number[], options: Partial<BlendOptions>) => () =>
    blend(list, truth, { columns: 2, folds: 2, ...options });
  expect(run([], y, {})).toThrow("blend: expected at least one member for members but got []");
  expect(run([two[0]!, two[0]!], y, {})).toThrow(
    'blend: expected a name of its own for every member but got "a"',
  );
  expect(run([{ name: "a", values: [1] }], y, {})).toThrow(
    'blend: expected 4 values for member "a" but got 1',
  );
  expect(run([{ name: "a", values: [0, 1, Number.NaN, 1] }], y, {})).toThrow(
    'blend: expected finite numbers for member "a" but got NaN at index 2',
  );
  expect(run(two, [0, Number.NaN, 0, 1], {})).toThrow(
    "blend: expected finite numbers for labels but got NaN at index 1",
  );
  expect(run(two, y, { columns: 3 })).toThrow(
    "blend: expected a multiple of 3 columns for the length of labels but got 4",
  );
  expect(run(two, [], {})).toThrow("for the length of labels but got 0");
  expect(run(two, y, { columns: 0 })).toThrow(
    "blend: expected an integer of at least 1 for columns but got 0",
  );
  expect(run(two, y, { folds: 1 })).toThrow(
    "blend: expected an integer of at least 2 for folds but got 1",
  );
  expect(run(two, y, { folds: 3 })).toThrow(
    "blend: expected at most 2 folds, one a row, but got 3",
  );
  expect(run(two, y, { weights: "median" as "shared" })).toThrow(
    'blend: expected "uniform", "pruned", "greedy", "shared", "group", "column" for weights but got "median"',
  );
  expect(run(two, y, { weights: "Greedy" as "greedy", bags: 2 })).toThrow('but got "Greedy"');
  expect(run(two, y, { seed: 1.5 })).toThrow("blend: expected a safe integer for seed but got 1.5");
  expect(run(two, undefined as never, {})).toThrow(
    new TypeError("blend: expected an array of numbers for labels but got undefined"),
  );
  expect(run([two[0]!, { name: "b" } as Member], y, {})).toThrow(
    new TypeError('blend: expected an array of numbers for member "b" but got undefined'),
  );
  expect(run([two[0]!, null as never], y, {})).toThrow(
    new TypeError("blend: expected a name of its own for every member but got undefined"),
  );
  expect(run(two, y, { weights: "group" })).toThrow(
    'blend: expected groups with weights "group" and only then but got weights "group" without groups',
  );
  expect(run(two, y, { groups: [[0, 1]] })).toThrow('but got weights "uniform" with groups');
  expect(run(two, y, { weights: "shared", bags: 3 })).toThrow(
    'blend: expected bags with weights "greedy" and only then but got weights "shared" with bags',
  );
  expect(run(two, y, { weights: "greedy", bags: 0 })).toThrow(
    "blend: expected an integer of at least 1 for bags but got 0",
  );
  for (const groups of [[[0]], [[0, 1], [1]], [[0, 1], []], [[0, 2]]])
    expect(run(two, y, { weights: "group", groups })).toThrow(
      `blend: expected every column from 0 to 1 in exactly one of groups but got ${JSON.stringify(groups).replaceAll(",", ", ")}`,
    );
  for (const groups of [[0, 1], { rain: [0], wind: [1] }] as never[])
    expect(run(two, y, { weights: "group", groups })).toThrow(
      "blend: expected lists of columns for groups but got ",
    );
});

test("applyBlend refuses what does not fit, by name", () => {
  const half = {
    names: ["a", "b"],
    weights: [
      [0.5, 0.5],
      [1, 0],
    ],
  };
  const a = { name: "a", values: [1, 2] };
  const b = { name: "b", values: [3, 4] };
  expect([...applyBlend(half, [a, b])]).toEqual([2, 2]);
  const wrong = [[[0.5]], [[0.5, Number.NaN]], [[0, 0]], [[1, 0], []], [[5, -1]], [[1, null]]];
  for (const weights of [...wrong, [[0.5, 0.50001]]] as number[][][])
    expect(() => applyBlend({ ...half, weights }, [a, b])).toThrow(
      `applyBlend: expected 2 numbers of at least 0 with sum 1 for each row of weights but got [${weights.at(-1)!.map(String).join(", ")}]`,
    );
  const rounded = [[0.5, 0.5000001]];
  expect([...applyBlend({ ...half, weights: rounded }, [a, b])]).toBeAllClose([2, 3]);
  for (const broken of [
    { ...half, weights: [] },
    { ...half, weights: [null] },
    { ...half, weights: undefined },
    { weights: half.weights },
  ])
    expect(() => applyBlend(broken as never, [a, b])).toThrow(
      "applyBlend: expected lists of names and rows for names and weights but got ",
    );
  expect(() => applyBlend(half, [a])).toThrow('applyBlend: expected a member "b" but got ["a"]');
  expect(() => applyBlend(half, [])).toThrow(
    "applyBlend: expected at least one member for members but got []",
  );
  // Also where neither is of any weight: which of them is meant next time?
  for (const name of ["a", "c"])
    expect(() =>
      applyBlend(half, [a, b, { name, values: [5, 6] }, { name, values: [7, 8] }]),
    ).toThrow(`applyBlend: expected a name of its own for every member but got "${name}"`);
  expect(() => applyBlend(half, [a, { name: "b" } as Member])).toThrow(
    'applyBlend: expected an array of numbers for member "b" but got undefined',
  );
  expect(() => applyBlend(half, [a, { name: "b", values: [1] }])).toThrow(
    'applyBlend: expected 2 values for member "b" but got 1',
  );
  const odd = [a, b].map(({ name }) => ({ name, values: [1, 2, 3] }));
  expect(() => applyBlend(half, odd)).toThrow(
    "applyBlend: expected a multiple of 2 columns for the members' length but got 3",
  );
  expect(() => applyBlend(half, [a, b], { out: new Float32Array(3) })).toThrow(
    "applyBlend: expected 2 numbers for out but got 3",
  );
});
