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

test("a case that is measured anew replaces its own section of the results, and no other", async () => {
  const { mergeResults } = await import(new URL("../bench/lib/results.mjs", import.meta.url).href);
  const row = (what: string, median: number) => ({
    what,
    ours: { median, low: median, high: median },
    beside: "peer",
    theirs: { median: 2, low: 2, high: 2 },
    ratio: { median: median / 2, low: median / 2, high: median / 2 },
    unit: "ms",
    target: 1,
  });
  const names = ["a", "b"];
  const first = mergeResults(
    "",
    { b: { rows: [row("of b", 1)], notes: ["a note"] } },
    "Monday",
    names,
  );
  expect(first).toMatch(/^# Bench\n[^#]*\n## b\n\nMonday\.\n\n\| what /);
  expect(first).toContain(
    "| of b | 1.00 ms | peer | 2.00 ms | 0.50 x | at most 1 x, met |\n\n- a note\n",
  );
  const both = mergeResults(first, { a: { rows: [row("of a", 4)], notes: [] } }, "Tuesday", names);
  expect(both).toMatch(/## a\n\nTuesday\.\n/);
  expect(both).toContain(
    "| of a | 4.00 ms | peer | 2.00 ms | 2.00 x | at most 1 x, missed |\n\n## b\n",
  );
  expect(both.slice(both.indexOf("## b"))).toBe(first.slice(first.indexOf("## b")));
  const anew = mergeResults(both, { b: { rows: [row("of b", 3)], notes: [] } }, "Friday", names);
  expect(anew.split("## b")[0]).toBe(both.split("## b")[0]);
  expect(anew.split("## b")[1]).toMatch(/Friday[\s\S]*3\.00 ms/);
  expect(anew).not.toContain("a note");
});
