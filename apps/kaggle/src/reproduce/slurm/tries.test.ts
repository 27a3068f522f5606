import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identityDraw } from "@gz/augment";
import { afterAll, expect, test } from "vitest";
import { loadRecipe } from "../../recipe/recipe.ts";
import { createRun } from "../../run/run.ts";
import { createEnsemble, memberFolder, memberShards } from "../folder.ts";
import { formatJob, type Job } from "../jobs.ts";
import { makeSlurmFolder, slurmFolder } from "./tasks.ts";
import { beginTry, countTries, forgetTries, hasStarted, noteUnseenTry } from "./tries.ts";

const root = mkdtempSync(join(tmpdir(), "gz-tries-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const recipe = loadRecipe("tiny");
const member = {
  ...{ name: "tiny", recipe, seed: 1, budget: { steps: 100 }, steps: 100 },
  ...{ trainSeconds: 1, predictSeconds: 1 },
};
const ensemble = createEnsemble(join(root, "ensemble"), {
  ...{ formatVersion: 1, budget: "100-steps", members: "x", data: "galaxies" },
  ...{ galaxies: { valid: 4, test: 8 }, backend: "wasm", lanes: 1, shardSize: 4 },
  ...{ transforms: [identityDraw], planned: [member] },
});
const run = createRun(memberFolder(ensemble, member), recipe, {
  ...{ formatVersion: 1, seed: 1, budget: member.budget, backend: "wasm", node: "v20" },
  ...{ data: { path: "galaxies", train: 36, valid: 4 }, started: "2014-04-04T00:00:00Z" },
});
const checkpoint = (step: number) => {
  const folder = join(run.checkpoints, `step-${String(step).padStart(8, "0")}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "meta.json"), JSON.stringify({ step, meta: {} }));
};

const fileOf = (job: Job) =>
  join(slurmFolder(ensemble), "tries", formatJob(job).replaceAll("/", "-"));
/** What the batch script does before the job. */
const start = (job: Job, index: number) =>
  appendFileSync(fileOf(job), `start today, task 7_${index} on node1\n`);

test("starts of a training count until there is another checkpoint", async () => {
  const job: Job = { kind: "train", member: "tiny" };
  expect(await countTries(ensemble, job)).toBe(0);
  await beginTry(ensemble, job); // on this machine, without a batch script
  makeSlurmFolder(ensemble);
  expect(await countTries(ensemble, job)).toBe(0);
  for (const count of [1, 2]) {
    start(job, 0);
    await beginTry(ensemble, job);
    if (count === 1) checkpoint(0); // of the untrained network
    expect(await countTries(ensemble, job)).toBe(count);
  }
  checkpoint(50);
  expect(await countTries(ensemble, job)).toBe(0);
  start(job, 0);
  await beginTry(ensemble, job);
  expect(await countTries(ensemble, job)).toBe(1);
  expect(readFileSync(fileOf(job), "utf8")).toBe("at step 50\nstart today, task 7_0 on node1\n");
  forgetTries(ensemble, job);
  expect(await countTries(ensemble, job)).toBe(0);
});

test("starts of a part count until one of its own shards is there", async () => {
  checkpoint(100);
  const shards = await memberShards(ensemble, member);
  expect(shards).toHaveLength(3); // one of valid, two of test
  const job: Job = { kind: "predict", member: "tiny", part: { index: 1, of: 2 } };
  start(job, 0);
  await beginTry(ensemble, job);
  mkdirSync(join(shards[0]!.file, ".."), { recursive: true });
  writeFileSync(shards[1]!.file, ""); // the other part's
  expect(await countTries(ensemble, job)).toBe(1);
  writeFileSync(shards[2]!.file, "");
  expect(await countTries(ensemble, job)).toBe(0);
});

test("a task that never reached its script, or a script that never reached its job, is a try too", async () => {
  const job: Job = { kind: "blend" };
  expect(hasStarted(ensemble, job, "8_0")).toBe(false);
  noteUnseenTry(ensemble, job, "8_0", "NODE_FAIL");
  expect(await countTries(ensemble, job)).toBe(1);
  start(job, 1);
  expect(hasStarted(ensemble, job, "7_1")).toBe(true);
  expect(await countTries(ensemble, job)).toBe(2);
  await beginTry(ensemble, job);
  expect(await countTries(ensemble, job)).toBe(2);
});
