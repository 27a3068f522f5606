/** The bench runs by hand, on a quiet machine; that its cases still find what they import is seen here. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("every case of the bench loads", { timeout: 60_000 }, () => {
  const program = `
    import { CASES } from "./bench/cases/index.mjs";
    for (const [name, load] of Object.entries(CASES)) {
      const { default: run } = await load();
      console.log(name, typeof run);
    }
    process.exit();`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = printed.split("\n").filter((line) => / (function|undefined)$/.test(line));
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(line).toMatch(/ function$/);
});
