import { expect, test } from "vitest";
import { experimentsPage } from "./page.ts";
import type { ExperimentsResult, SeedResult } from "./results.ts";

const run = (seed: number, rmse: number): SeedResult => ({
  seed,
  rmse,
  steps: 2000,
  stepMs: 80 + seed,
  minutes: 2.7,
});

const result: ExperimentsResult = {
  formatVersion: 1,
  about: "Two ideas, tried on a small network.",
  command: "npm run kaggle -- experiments ideas --budget 2000-steps --seeds 2",
  budget: "2000-steps",
  seeds: 2,
  machine: "A processor, 2 cores, Node 20.20.2",
  backend: "tensorflow 2.18 on the CPU, 2 threads",
  data: { name: "galaxies", train: 3600, valid: 400 },
  variants: [
    {
      name: "base",
      about: "as it is",
      runs: [run(1, 0.1), run(2, 0.102)],
      rmse: { mean: 0.101, standardError: 0.001, count: 2 },
    },
    {
      name: "shear",
      about: "sheared",
      reported: "neutral",
      runs: [run(1, 0.0995), run(2, 0.1025)],
      rmse: { mean: 0.101, standardError: 0.0015, count: 2 },
      difference: { mean: 0, standardError: 0.0005, count: 2, verdict: "no clear difference" },
    },
    {
      name: "noise",
      about: "a | b",
      runs: [run(1, 0.12)],
      rmse: { mean: 0.12, count: 1 },
      difference: { mean: 0.02, count: 1, verdict: "one seed" },
    },
    { name: "gamma", about: "brightened", runs: [] },
  ],
};

test("the page has a row for each variant, and says what is missing", () => {
  expect(experimentsPage(result)).toMatchInlineSnapshot(`
    "Two ideas, tried on a small network.

    - \`base\`: as it is
    - \`shear\`: sheared
    - \`noise\`: a | b
    - \`gamma\`: brightened

    | variant | validation RMSE | less the base |  | ms a step | what was reported |
    | --- | --- | --- | --- | --- | --- |
    | \`base\` | 0.10100 ± 0.00100 | – |  | 82 |  |
    | \`shear\` | 0.10100 ± 0.00150 | 0.00000 ± 0.00050 | no clear difference | 82 | neutral |
    | \`noise\` | 0.12000 (1 of 2 seeds) | +0.02000 | one seed | 81 |  |
    | \`gamma\` | – (0 of 2 seeds) | – |  | – |  |

    Every variant was trained for 2,000 steps from 2 seeds, on 3,600 galaxies of galaxies; its RMSE is that of the other 400, each predicted once, as it is. Given are means over seeds and their standard errors. A difference is taken seed by seed, from a base that started from the same seed and saw the same galaxies in the same order; it is called better or worse where 0 lies outside its 95 % interval (Student's t), as one in twenty does by chance where there is no difference. What is clear at such a budget may be otherwise at another.

    \`\`\`sh
    npm run kaggle -- experiments ideas --budget 2000-steps --seeds 2
    \`\`\`

    A processor, 2 cores, Node 20.20.2; tensorflow 2.18 on the CPU, 2 threads.
    "
  `);
});

test("budgets in words", () => {
  const budget = (text: string) =>
    / was trained (.*?) from /.exec(experimentsPage({ ...result, budget: text }))![1];
  expect(budget("5m-per-model")).toBe("for 5m");
  expect(budget("3h")).toBe("for its share of 3h");
  expect(budget("full")).toBe("for its recipe's steps");
});
