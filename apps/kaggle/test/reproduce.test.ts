/** `kaggle reproduce` on one machine: planned, killed, gone on with, begun again; with questions of its own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSynthetic } from "@gz/galaxies";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kaggle, startKaggle, temporaryFolder } from "./cli.ts";

const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const smallest = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));

/** An ensemble file of members of smallest, each with what is changed, that start afresh or from smallest. */
function ensemble(
  name: string,
  members: { recipe?: object; seed: number }[],
  start?: { seed: number; share: number },
): string {
  const file = join(root, `${name}.json`);
  const recipes = members.map(({ recipe, seed }, i) => {
    writeFileSync(
      join(root, `${name}-r${i}.json`),
      JSON.stringify({ extends: smallest, ...recipe }),
    );
    return { recipe: `${name}-r${i}.json`, seed };
  });
  const first = start && { start: { recipe: smallest, ...start } };
  writeFileSync(file, JSON.stringify({ ...first, members: recipes }));
  return file;
}

const reproduce = (out: string, ...rest: string[]) => [
  ...["reproduce", "--out", join(root, out), "--backend", "wasm", ...rest],
];

const runInfo = (out: string, member: string) =>
  JSON.parse(readFileSync(join(root, out, "members", member, "run.json"), "utf8"));

beforeAll(() => writeSynthetic(data, { train: 60, test: 6, seed: 3 }));

test("killed twice and begun again, it ends in the same submission", {
  timeout: 300_000,
}, async () => {
  const members = ensemble("two", [{ seed: 1 }, { recipe: { augment: { zoom: 1.2 } }, seed: 2 }], {
    seed: 3,
    share: 0.5,
  });
  const whole = ["--budget", "40-steps", "--members", members, "--data", data];

  expect(await kaggle(reproduce("calm", ...whole, "--plan"), env)).toMatchObject({ code: 0 });
  expect(existsSync(join(root, "calm", "plan.json"))).toBe(false);
  const calm = await kaggle(reproduce("calm", ...whole), env);
  expect(calm, calm.stderr).toMatchObject({ code: 0 });
  expect(calm.stdout).toContain(join(root, "calm", "report.html"));
  for (const name of ["two-r0", "two-r1"])
    expect(runInfo("calm", name).from).toMatchObject({
      path: join(root, "calm", "members", "start"),
      step: 40,
      head: "kept",
    });
  expect(runInfo("calm", "start").from).toBeUndefined();
  const page = readFileSync(join(root, "calm", "report.html"), "utf8");
  expect(page).toContain("Who goes on from another’s weights begins at its last step.");
  for (const name of ["start", "two-r1"])
    expect(page).toContain(`--out ${join(root, "calm", "members", name)} --steps 40`);

  for (const name of ["start", "two-r0"]) {
    const killed = startKaggle(reproduce("killed", ...whole), env);
    const ended = new Promise((resolve) => killed.on("close", resolve));
    const metrics = join(root, "killed", "members", name, "metrics.jsonl");
    while (!existsSync(metrics) && killed.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    killed.kill("SIGKILL");
    await ended;
  }
  expect(existsSync(join(root, "killed", "submission.csv"))).toBe(false);

  const planned = await kaggle(reproduce("killed", "--plan"), env);
  expect(planned).toMatchObject({ code: 0, stdout: "" });
  expect(planned.stderr).toContain("was planned for 40-steps");
  expect(planned.stderr).toMatch(/start +seed 3 +40 steps[\s\S]*two-r1 +seed 2 +40 steps/);
  expect(existsSync(join(root, "killed", "submission.csv"))).toBe(false);

  const on = await kaggle(reproduce("killed"), env);
  expect(on, on.stderr).toMatchObject({ code: 0 });
  const submissions = ["calm", "killed"].map((out) =>
    readFileSync(join(root, out, "submission.csv"), "utf8"),
  );
  expect(submissions[1]).toBe(submissions[0]);

  // A report of an earlier blend does not pass for that of this one.
  rmSync(join(root, "killed", "report.html"));
  expect(await kaggle(reproduce("killed"), env)).toMatchObject({ code: 0 });
  expect(readFileSync(join(root, "killed", "report.html"), "utf8")).toContain("two-r1");

  for (const [options, what] of [
    [["--budget", "1h"], "--budget 40-steps"],
    [["--parallel", "7"], "--parallel"],
    [["--shard-size", "3"], "--shard-size 1000"],
    [["--threads", "1"], "expected --job for --threads"],
    [["--job", "predict/two-r0/3-of-2"], "K of 1 to N"],
    [["--job", "predict/start"], "expected decode, train/NAME"],
  ] as const) {
    const refused = await kaggle(reproduce("killed", ...options), env);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(what);
  }
});

test("where there is time for few steps, narrower networks are planned", {
  timeout: 300_000,
}, async () => {
  const plan = (budget: string) =>
    kaggle(
      reproduce("sizes", "--plan", "--budget", budget, "--parallel", "1", "--data", data),
      env,
    );
  const short = await plan("3m");
  expect(short, short.stderr).toMatchObject({ code: 0 });
  expect(short.stderr).toMatch(/ modern-narrow-centred-1 +seed 2 [\s\S]* modern-narrow +seed 3 /);
  expect(short.stderr).toMatch(/brief in place of small, whose members would see about \d+ steps/);
  const long = await plan("30h");
  expect(long, long.stderr).toMatchObject({ code: 0 });
  expect(long.stderr).toMatch(/ modern-centred-1 +seed 2 [\s\S]* modern +seed 3 /);
  expect(long.stderr).not.toContain("brief");
});

test("questions of its own: a submission, no report, and nothing left to do", {
  timeout: 300_000,
}, async () => {
  const own = join(root, "own");
  const images = (split: string) => readdirSync(join(data, `images_${split}_rev1`));
  mkdirSync(join(own, "images"), { recursive: true });
  mkdirSync(join(own, "test"));
  for (const [split, folder] of [
    ["training", "images"],
    ["test", "test"],
  ] as const)
    for (const name of images(split))
      writeFileSync(
        join(own, folder, name),
        readFileSync(join(data, `images_${split}_rev1`, name)),
      );
  const rows = images("training").map(
    (name, i) => `${name.replace(".jpg", "")},${i % 2},${1 - (i % 2)},1`,
  );
  writeFileSync(join(own, "labels.csv"), `GalaxyID,round,flat,seen\n${rows.join("\n")}\n`);
  const tree = [
    { name: "shape", answers: ["round", "flat"] },
    { name: "there", answers: ["seen"] },
  ];
  const output = { tree, normalize: "softmax", loss: "cross-entropy", clipSteps: 0 };
  const members = ensemble("own", [{ recipe: { output }, seed: 1 }]);
  const args = reproduce("own-out", "--budget", "20-steps", "--members", members, "--data", own);
  const done = await kaggle(args, env);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect(done.stderr).toContain("there is no report");
  const submission = readFileSync(join(root, "own-out", "submission.csv"), "utf8");
  expect(submission).toMatch(/^GalaxyID,round,flat,seen\n(\d+(,[\d.e-]+){3}\n){6}$/);
  const again = await kaggle(args, env);
  expect(again.code).toBe(0);
  expect(again.stderr).not.toContain("there is no report");

  const mixed = ensemble("mixed", [{ seed: 1 }, { recipe: { output }, seed: 2 }]);
  const refused = await kaggle(reproduce("no", "--members", mixed, "--data", data), env);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("expected members that answer the same questions but mixed-r1");
});
