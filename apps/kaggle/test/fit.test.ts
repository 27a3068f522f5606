/** Images of other sizes than Galaxy Zoo's, from `prepare` to `evaluate`, by a recipe that takes them. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readPredictions, writeSynthetic } from "@gz/galaxies";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadEnsemble } from "../src/reproduce/members.ts";
import { kaggle, temporaryFolder } from "./cli.ts";

const SMALLEST = fileURLToPath(new URL("./fixtures/smallest.json", import.meta.url));
const root = temporaryFolder();
const env = { GZ_CACHE_DIR: join(root, "cache") };
const data = join(root, "galaxies");
const recipe = join(root, "any-size.json");
const run = join(root, "run");
const WASM = ["--backend", "wasm", "--workers", "1"];

beforeAll(async () => {
  await writeSynthetic(data, { train: 20, test: 2, seed: 3, size: 300 });
  writeFileSync(recipe, JSON.stringify({ extends: SMALLEST, input: { fit: "cover" } }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a recipe refuses images of another size, and is told what takes them", async () => {
  const { code, stdout, stderr } = await kaggle(
    ["prepare", "--data", data, "--recipe", SMALLEST],
    env,
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /expected 424 x 424 pixels for \d+\.jpg but got 300 x 300 \(fit: "cover" takes any size\)/,
  );
  expect(stderr).toContain("prepare: 22 problems in");
});

test('with input.fit "cover" it trains on them, predicts and looks at them', async () => {
  const commands = [
    ["prepare", "--data", data, "--recipe", recipe],
    ["train", "--data", data, "--recipe", recipe, "--out", run, "--steps", "2", ...WASM],
    ["predict", "--run", run, "--split", "all", "--transforms", "1", ...WASM],
    ["evaluate", run, "--images", "2", ...WASM],
    ["report", run, "--out", join(root, "report.html")],
    ["export", run, "--out", join(root, "model")],
  ];
  for (const words of commands) {
    const { code, stderr } = await kaggle(words, env);
    expect(code, `${words.join(" ")}\n${stderr}`).toBe(0);
  }
  expect((await readPredictions(join(run, "predictions", "test.csv"))).ids).toHaveLength(2);
  const card = readFileSync(join(root, "model", "README.md"), "utf8");
  expect(card).toContain('decode(await readFile("galaxy.jpg"), { fit: "cover" })');
  expect(card).toContain("of one of another size the largest centred square, resampled");
});

test("members of an ensemble read their images alike", () => {
  const members = [{ recipe: SMALLEST }, { recipe }].map((member) => ({ ...member, seed: 1 }));
  const file = join(root, "members.json");
  writeFileSync(file, JSON.stringify({ members }));
  expect(() => loadEnsemble(file)).toThrow(
    `reproduce: expected the same input.fit of all members but any-size has another than smallest (in ${file})`,
  );
});
