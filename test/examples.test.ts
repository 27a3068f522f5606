import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

// The examples are run as a user runs them, by Node on the built packages: npm run build first.
const EXAMPLES = {
  // Where the numbers come from IEEE arithmetic alone, the picture is the same on every engine.
  "augment.mjs": [/"rotation":234\.26301009994185,.*"flip":true/, / =%%%%%%%%#: /],
  "views.mjs": ["part 5: mirrored, turned by 90 degrees, starts at (2.5, 2.5)", / \.#{6} \. /],
  "ensemble.mjs": ["column: expected 0.095, got 0.097", /attic is worth -0\.\d{3}/],
  "train.mjs": ["step 300: RMSE 0.", /hit (0\.9|1\.0)\d, top (0\.9|1\.0)\d, bottom 0\.0\d/],
  "galaxies.mjs": [/(.{64}\n){32}Is the galaxy simply smooth and rounded, .*\(\d+ %\)/],
  "contact-sheet.mjs": [],
} satisfies Record<string, (string | RegExp)[]>;

const folder = fileURLToPath(new URL("../examples/", import.meta.url));
let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "gz-examples-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test("every example is run below", () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(EXAMPLES).sort());
});

test.each(Object.entries(EXAMPLES))("%s runs and shows what it says", async (file, shown) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, file)], {
    cwd: scratch,
  });
  for (const expected of shown) expect(stdout).toMatch(expected);
});
