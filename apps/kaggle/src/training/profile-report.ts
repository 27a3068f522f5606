/** A profile as a table for people, and as a trace for Perfetto and Chrome. */
import { join } from "node:path";
import { type Run, writeAtomic } from "../run/run.ts";
import { type Profile, STAGES } from "./profile.ts";

/** Operations that get a line of their own. */
const ROWS = 15;

/** Writes the trace into the run's folder; returns the table, and where the trace is. */
export function reportProfile(
  profile: Profile,
  { folder }: Run,
  { gpu }: { gpu: boolean },
): string[] {
  const file = join(folder, "profile.json");
  writeAtomic(file, JSON.stringify(traceOf(profile)));
  return [
    ...describeProfile(profile),
    ...(gpu ? ["these are the times of the host, behind which the GPU works"] : []),
    `the same on a time line: ${file}, for https://ui.perfetto.dev`,
  ];
}

/** Lines of text: means of a step in milliseconds, by stage and by operation. */
export function describeProfile({ steps, stages, operations }: Profile): string[] {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / steps;
  const total = sum(stages.map(({ start, end }) => end - start));
  const row = (name: string, ms: number, rest = "") =>
    `  ${name.padEnd(32)}${ms.toFixed(2).padStart(9)} ms${((100 * ms) / total).toFixed(1).padStart(7)} %${rest}`;

  const byName = new Map<string, { ms: number; calls: number }>();
  for (const { name, self } of operations) {
    const found = byName.get(name) ?? { ms: 0, calls: 0 };
    byName.set(name, { ms: found.ms + self / steps, calls: found.calls + 1 / steps });
  }
  const sorted = [...byName].sort(([, a], [, b]) => b.ms - a.ms);
  const others = sorted.slice(ROWS);
  const calls = (n: number) => `${n.toFixed(0).padStart(7)} calls`;
  return [
    `profile: a step takes ${total.toFixed(1)} ms, the mean of ${steps}`,
    ...STAGES.map((stage) =>
      row(stage, sum(stages.filter(({ name }) => name === stage).map((s) => s.end - s.start))),
    ),
    "of it in operations:",
    ...sorted.slice(0, ROWS).map(([name, op]) => row(name, op.ms, calls(op.calls))),
    ...(others.length > 0
      ? [
          row(
            `${others.length} others`,
            others.reduce((ms, [, op]) => ms + op.ms, 0),
            calls(others.reduce((n, [, op]) => n + op.calls, 0)),
          ),
        ]
      : []),
  ];
}

/** In the Trace Event Format (JSON): stages and in them operations on one line, times in microseconds. */
export function traceOf({ stages, operations }: Profile): object {
  const origin = stages[0]!.start;
  const slice = ({ start, end }: { start: number; end: number }) => ({
    ph: "X",
    pid: 1,
    tid: 1,
    ts: 1000 * (start - origin),
    dur: 1000 * (end - start),
  });
  return {
    displayTimeUnit: "ms",
    traceEvents: [
      { ph: "M", pid: 1, tid: 1, name: "process_name", args: { name: "kaggle train" } },
      { ph: "M", pid: 1, tid: 1, name: "thread_name", args: { name: "main thread" } },
      ...stages.map((stage) => ({ name: stage.name, cat: "stage", ...slice(stage) })),
      ...operations.map((operation) => ({
        name: operation.name,
        cat: "operation",
        ...slice(operation),
        args: { shapes: operation.shapes },
      })),
    ],
  };
}
