/** A bar leaves the terminal as it found it, however the process ends. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PROGRESS = fileURLToPath(new URL("../dist/cli/progress.js", import.meta.url));

/** What goes to a terminal while a bar is up and `end` happens. */
function terminal(end: string): string {
  const program = `
    import { createProgress } from ${JSON.stringify(PROGRESS)};
    process.stderr.isTTY = true;
    process.stderr.write = (text) => process.stdout.write(text);
    const progress = createProgress("work", 10);
    progress.update(3);
    ${end}`;
  const args = ["--input-type=module", "--eval", program];
  return execFileSync(process.execPath, args, { encoding: "utf8" });
}

const [HIDDEN, SHOWN] = ["\x1b[?25l", "\x1b[?25h"];
const [CUT, WRAPPED] = ["\x1b[?7l", "\x1b[?7h"];

test.each([
  ["stopped", "progress.stop();"],
  ["exited", "process.exit(0);"],
  ["stopped, then exited", "progress.stop(); process.exit(0);"],
])("%s: cursor and line wrap come back, once", (_, end) => {
  const text = terminal(end);
  expect(text).toContain(HIDDEN);
  expect(text).toContain(CUT);
  expect(text.split(SHOWN)).toHaveLength(2);
  expect(text.lastIndexOf(SHOWN)).toBeGreaterThan(text.lastIndexOf(HIDDEN));
  expect(text.lastIndexOf(WRAPPED)).toBeGreaterThan(text.lastIndexOf(CUT));
});
