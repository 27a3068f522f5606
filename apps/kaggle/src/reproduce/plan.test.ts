import { WINNER_TRANSFORMS } from "@gz/ensemble";
import { expect, test } from "vitest";
import type { Speed } from "../machine/measure.ts";
import { loadRecipe, type Recipe } from "../recipe/recipe.ts";
import { describePlan } from "./describe-plan.ts";
import type { Member } from "./members.ts";
import { chooseLanes, makespan, type PlanInput, planEnsemble } from "./plan.ts";

const symmetric = loadRecipe("modern"); // 14,000 steps
const modern = withoutSymmetries(symmetric);
const best = loadRecipe("best"); // 1,562,500 steps
const member = (name: string, recipe = modern): Member => ({ name, recipe, seed: 1 });
const speed: Speed = {
  stepMs: 200,
  predictMs: 1,
  startSeconds: 5,
  checkpointBytes: 10e6,
  memoryBytes: 500e6,
};

function withoutSymmetries({ network, ...rest }: Recipe): Recipe {
  if (network.kind !== "residual") throw new Error("expected a residual network");
  return { ...rest, network: { ...network, symmetries: false } };
}

const input = (changes: Partial<PlanInput> = {}): PlanInput => ({
  members: ["a", "b", "c", "d"].map((name) => member(name)),
  budget: { kind: "total", minutes: 20 },
  speeds: [speed, speed, speed, speed],
  lanes: 2,
  galaxies: { valid: 400, test: 1200 },
  spentSeconds: 30,
  cacheBytes: 700e6,
  caller: "reproduce",
  ...changes,
});

test("a total budget is divided into rounds: start, training and prediction fill each", () => {
  const plan = planEnsemble(input());
  // Finish: 10 s + 0.1 ms x 1,600 galaxies x 4. Two rounds of (1200 - 30 - 10.64) / 2 s.
  const slot = (1200 - 30 - 10.64) / 2;
  // 60 transforms of 1,600 galaxies at 1 ms are 96 s, under 20 % of 579.68 s.
  expect(plan.transforms).toBe(WINNER_TRANSFORMS);
  for (const { budget, trainSeconds, predictSeconds, steps } of plan.members) {
    expect(predictSeconds).toBeCloseTo(96, 6);
    expect((budget as { minutes: number }).minutes * 60).toBeCloseTo(slot - 5 - 96, 6);
    expect(trainSeconds).toBeCloseTo(slot - 96, 6);
    // 20 validations of 400 galaxies at 1 ms are 8 s.
    expect(steps).toBe(Math.floor((slot - 5 - 96 - 8) / 0.2));
  }
  expect(plan.seconds).toBeCloseTo(1200 - 30, 6);
});

test("where 60 transforms would take too much of the budget, fewer are taken, and it is said", () => {
  const slow = { ...speed, predictMs: 1.5 };
  // 60: 144 s of 579.68, over 20 %; 20: 48 s, under 10 %.
  const plan = planEnsemble(input({ speeds: [slow, slow, slow, slow] }));
  expect(plan.transforms).toHaveLength(20);
  expect(plan.remarks.at(-1)).toContain(
    "over 20 of the winner's 60 transforms, since all take 2m 24s",
  );
  const slower = { ...speed, predictMs: 12 };
  expect(planEnsemble(input({ speeds: [slower, slower, slower, slower] })).transforms).toHaveLength(
    8,
  );
  // 8: 179 s, over 30 %.
  const slowest = { ...speed, predictMs: 14 };
  expect(planEnsemble(input({ speeds: Array(4).fill(slowest) })).transforms).toHaveLength(1);
});

test("a network of symmetries sees 15 of the 60, and has more time to train", () => {
  const members = ["a", "b", "c", "d"].map((name) => member(name, symmetric));
  const plan = planEnsemble(input({ members, speeds: Array(4).fill({ ...speed, predictMs: 4 }) }));
  expect(plan.transforms).toBe(WINNER_TRANSFORMS);
  expect(plan.members[0]!.predictSeconds).toBeCloseTo(96, 6);
});

test("minutes and steps a model are what was asked for, over all 60 transforms", () => {
  const perModel = planEnsemble(input({ budget: { kind: "minutes", minutes: 90 } }));
  expect(perModel.members[0]).toMatchObject({ budget: { minutes: 90 }, predictSeconds: 96 });
  expect(perModel.members[0]!.steps).toBe(Math.floor((5400 - 8) / 0.2));
  expect(perModel.seconds).toBeCloseTo(2 * (5 + 5400 + 96) + 10.64, 6);
  const steps = planEnsemble(input({ budget: { kind: "steps", steps: 1000 } }));
  expect(steps.members.map(({ budget }) => budget)).toEqual(Array(4).fill({ steps: 1000 }));
  // Start, 20 validations of 400 galaxies, 1,000 steps.
  expect(steps.members[0]!.trainSeconds).toBeCloseTo(5 + 8 + 200, 6);
});

test("what members start from has its share of a total budget, the whole machine and no predictions", () => {
  const fast = { ...speed, stepMs: 110 };
  const plan = planEnsemble(
    input({ start: { member: member("start"), share: 0.4, speed: fast }, spentSeconds: 30 }),
  );
  const left = 1200 - 30 - 10.64;
  // 20 validations of 400 galaxies at 1 ms are 8 s.
  expect(plan.start).toMatchObject({ name: "start", predictSeconds: 0 });
  expect(plan.start!.trainSeconds).toBeCloseTo(0.4 * left, 6);
  expect(plan.start!.steps).toBe(Math.floor((0.4 * left - 5 - 8) / 0.11));
  // 60 transforms are 96 s, over 20 % of what two rounds leave each; 20 are 32 s.
  expect(plan.transforms).toHaveLength(20);
  for (const { trainSeconds, predictSeconds } of plan.members)
    expect(trainSeconds + predictSeconds).toBeCloseTo(0.3 * left, 6);
  expect(plan.seconds).toBeCloseTo(1200 - 30, 6);
  expect(plan.bytes).toBe(5 * 4 * 10e6 + 5 * 1600 * 37 * 44 + 700e6);
  const lines = describePlan(plan, { freeBytes: undefined, backend: "x", cluster: false });
  expect(lines[0]).toBe("first, with the whole machine, what all members go on from");
  expect(lines[1]).toMatch(/^ {2}start {2}seed 1 {2}7m 39s, about 4,\d{3} steps {2}train 7m 44s/);
  // 4,097 steps and 1,514.
  expect(plan.remarks[0]).toMatch(/^a and 3 more: 40 % of the recipe's steps/);
  // 20 steps, 8 s of validations and 5 s of starting in 0.4 and in 0.3 of what is left.
  const tight = input({
    start: { member: member("start"), share: 0.4, speed },
    budget: { kind: "total", minutes: 0.5 },
  });
  expect(() => planEnsemble(tight)).toThrow(
    /expected at least 1m 24s for --budget, or fewer --members, but start would get 0 steps$/,
  );
});

test("a budget a model is that of what members start from, too", () => {
  const start = { member: member("start"), share: 0.4, speed };
  const plan = planEnsemble(input({ start, budget: { kind: "steps", steps: 1000 } }));
  expect(plan.start).toMatchObject({ budget: { steps: 1000 }, predictSeconds: 0 });
  expect(plan.members[0]).toMatchObject({ budget: { steps: 1000 } });
});

test("full is every recipe's own number of steps", () => {
  const members = [member("best", best), member("modern")];
  const plan = planEnsemble(
    input({ members, speeds: [speed, speed], budget: { kind: "full" }, lanes: 1 }),
  );
  expect(plan.members.map(({ budget }) => budget)).toEqual([
    { steps: 1_562_500 },
    { steps: 14_000 },
  ]);
  expect(plan.remarks).toEqual([]);
});

test("it says which members will stay on the plateau, and which get a part of their recipe", () => {
  const members = [member("best", best), member("modern")];
  const plan = planEnsemble(
    input({ members, speeds: [speed, speed], budget: { kind: "steps", steps: 1500 } }),
  );
  expect(plan.remarks[0]).toMatch(/^best: .* 2,000 steps did not leave the plateau/);
  expect(plan.remarks[1]).toMatch(/^modern: 11 % of the recipe's steps/);
});

test("a budget without time to train is refused with the least that would do", () => {
  // 30 s gone + 10.64 s + 2 rounds of (20 steps 4 s + 8 s + 5 s + prediction of one transform 1.6 s).
  expect(() => planEnsemble(input({ budget: { kind: "total", minutes: 1 } }))).toThrow(
    /expected at least 1m 18s for --budget, or fewer --members, but a would get \d+ steps/,
  );
  expect(() => planEnsemble(input({ budget: { kind: "total", minutes: 0.25 } }))).toThrow(
    /^reproduce: expected at least 1m 18s for --budget, or fewer --members, but a would get 0 steps$/,
  );
  const experiments = input({ budget: { kind: "total", minutes: 0.25 }, caller: "experiments" });
  expect(() => planEnsemble(experiments)).toThrow(
    /^experiments: expected at least 1m 18s for --budget, or fewer variants/,
  );
  expect(() => planEnsemble(input({ budget: { kind: "minutes", minutes: 0.02 } }))).toThrow(
    /a model for --budget/,
  );
});

test("disk: four checkpoints a member, predictions, and the decoded pixels", () => {
  expect(planEnsemble(input()).bytes).toBe(4 * 4 * 10e6 + 5 * 1600 * 37 * 44 + 700e6);
});

test("lanes are chosen for the whole ensemble, within the memory", () => {
  const measured = [
    { lanes: 1, stepMs: 260, memoryBytes: 1e9 },
    { lanes: 2, stepMs: 400, memoryBytes: 1e9 },
  ];
  expect(chooseLanes(4, measured, 8e9)).toBe(2); // 2 x 400 before 4 x 260
  expect(chooseLanes(3, measured, 8e9)).toBe(1); // 2 x 400 after 3 x 260
  expect(chooseLanes(4, measured, 1.5e9)).toBe(1);
  expect(chooseLanes(4, [{ ...measured[0]!, memoryBytes: 9e9 }], 8e9)).toBe(1);
});

test("each member starts on the first free lane", () => {
  expect(makespan([3, 1, 1, 1], 2)).toBe(3);
  expect(makespan([1, 1, 1, 3], 2)).toBe(4);
  expect(makespan([2, 2], 1)).toBe(4);
});

test("a plan reads", () => {
  const lines = describePlan(planEnsemble(input()), {
    freeBytes: 50e9,
    backend: "tensorflow 2.21 on CPU, 1 thread",
    cluster: false,
  });
  expect(lines).toMatchInlineSnapshot(`
    [
      "4 members, 2 side by side, each on tensorflow 2.21 on CPU, 1 thread",
      "  a  seed 1  7m 59s, about 2,353 steps  train 8m 04s  predict 1m 36s",
      "  b  seed 1  7m 59s, about 2,353 steps  train 8m 04s  predict 1m 36s",
      "  c  seed 1  7m 59s, about 2,353 steps  train 8m 04s  predict 1m 36s",
      "  d  seed 1  7m 59s, about 2,353 steps  train 8m 04s  predict 1m 36s",
      "  60 transforms · about 19m 30s in all · 874 MB of 50.0 GB free",
      "  ! a and 3 more: 17 % of the recipe's steps at the least; the schedule is drawn together to fit",
    ]
  `);
  expect(
    describePlan(planEnsemble(input()), { freeBytes: 1e8, backend: "x", cluster: false }).join(
      "\n",
    ),
  ).toContain("the disk has too little room");
  const [first, , , , , total] = describePlan(planEnsemble(input({ lanes: 4 })), {
    freeBytes: undefined,
    backend: "tensorflow 2.21 on CPU, 4 threads",
    cluster: true,
  });
  expect(first).toBe("4 members, each a Slurm job, on tensorflow 2.21 on CPU, 4 threads");
  expect(total).toMatch(/about [\dhms ]+ in all once all of them run · 874 MB$/);
});
