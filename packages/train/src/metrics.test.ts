import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openMetrics } from "./metrics.ts";

const folder = mkdtempSync(join(tmpdir(), "gz-metrics-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, steps: number[]): string {
  const file = join(folder, name);
  const metrics = openMetrics(file);
  for (const step of steps) metrics.write({ step, loss: 1 / step });
  metrics.close();
  return file;
}

const stepsIn = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line).step);

test("writes one JSON object a line, at once, and appends on the next opening", () => {
  const file = join(folder, "append.jsonl");
  const metrics = openMetrics(file);
  metrics.write({ step: 1, loss: 0.5, note: "é" });
  expect(readFileSync(file, "utf8")).toBe('{"step":1,"loss":0.5,"note":"é"}\n');
  metrics.close();
  const again = openMetrics(file);
  again.write({ step: 2 });
  again.close();
  expect(stepsIn(file)).toEqual([1, 2]);
});

test("drops what lies past the checkpoint's step", () => {
  const file = written("past.jsonl", [5, 10, 10, 15, 20]);
  openMetrics(file, { truncateAfterStep: 10 }).close();
  expect(stepsIn(file)).toEqual([5, 10, 10]);
  openMetrics(file, { truncateAfterStep: 0 }).close();
  expect(readFileSync(file, "utf8")).toBe("");
});

test("drops a last line that was half written, at whichever byte", () => {
  const line = '{"step":3,"note":"é"}';
  for (let bytes = 1; bytes <= Buffer.byteLength(line); bytes++) {
    const file = written(`half-${bytes}.jsonl`, [1, 2]);
    appendFileSync(file, Buffer.from(line).subarray(0, bytes));
    openMetrics(file).close();
    expect(stepsIn(file)).toEqual([1, 2]);
  }
});

test("never writes what it would refuse to read", () => {
  const file = join(folder, "refused.jsonl");
  const metrics = openMetrics(file);
  for (const step of [undefined, Number.NaN, "3"])
    expect(() => metrics.write({ step, loss: 1 } as never)).toThrow(
      `openMetrics: expected a number for step but got ${step}`,
    );
  metrics.write({ step: 1, loss: Number.NaN });
  metrics.close();
  expect(readFileSync(file, "utf8")).toBe('{"step":1,"loss":null}\n');
  expect(() => openMetrics(file, { truncateAfterStep: Number.NaN })).toThrow(
    "openMetrics: expected a number for truncateAfterStep but got NaN",
  );
});

test.runIf(process.platform === "linux")("a full disk leaves whole lines", () => {
  const file = join(folder, "full.jsonl");
  const script = `
    const { openMetrics } = await import(${JSON.stringify(new URL("../dist/metrics.js", import.meta.url).href)});
    process.on("SIGXFSZ", () => {});
    const metrics = openMetrics(${JSON.stringify(file)});
    let failed = 0;
    for (let step = 1; step <= 40; step++)
      try { metrics.write({ step, text: "x".repeat(300) }); } catch { failed++; }
    metrics.write({ step: 41 });
    console.log(failed);`;
  // No file may grow past 8 KB.
  const limited = `ulimit -f 8; exec "${process.execPath}" --input-type=module -`;
  const failed = Number(execFileSync("bash", ["-c", limited], { input: script }));
  expect(failed).toBeGreaterThan(5);
  openMetrics(file).close();
  expect(stepsIn(file).at(-1)).toBe(41);
  expect(stepsIn(file)).toHaveLength(41 - failed);
});

test("names the line that is not a metric", () => {
  const file = join(folder, "damaged.jsonl");
  writeFileSync(file, '{"step":1}\nnonsense\n{"step":3}\n');
  expect(() => openMetrics(file)).toThrow(
    `openMetrics: expected a JSON object with a step in ${file} line 2 but got nonsense`,
  );
  writeFileSync(file, '{"loss":1}\n');
  expect(() => openMetrics(file)).toThrow(`in ${file} line 1 but got {"loss":1}`);
  expect(readFileSync(file, "utf8")).toBe('{"loss":1}\n');
});
