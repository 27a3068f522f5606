/** A run's metrics.jsonl: read, thinned for drawing, summed up. */
import { existsSync, readFileSync } from "node:fs";

export interface TrainLine {
  kind: "train";
  step: number;
  rmse: number;
  learningRate: number;
  stepMs: number;
  dataWaitMs: number;
  rssMb: number;
}

export interface ValidLine {
  kind: "valid";
  step: number;
  rmse: number;
}

export interface Metrics {
  train: TrainLine[];
  valid: ValidLine[];
}

/** Empty where the file is not there; a last line that a running process has not finished is left out. */
export function readMetrics(file: string): Metrics {
  const metrics: Metrics = { train: [], valid: [] };
  if (!existsSync(file)) return metrics;
  for (const text of readFileSync(file, "utf8").split("\n")) {
    const line = parse(text);
    if (line?.kind === "train") metrics.train.push(line);
    if (line?.kind === "valid") metrics.valid.push(line);
  }
  return metrics;
}

function parse(text: string): TrainLine | ValidLine | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** At most `points` points: the root of the mean square over as many lines as fall together. */
export function smoothed(
  lines: readonly TrainLine[],
  points = 80,
): { step: number; rmse: number }[] {
  const size = Math.ceil(lines.length / points);
  const out: { step: number; rmse: number }[] = [];
  for (let at = 0; at < lines.length; at += size) {
    // A GPU's loss is not read at every step; JSON has no NaN, so such a line's rmse is null.
    const window = lines.slice(at, at + size).filter(({ rmse }) => Number.isFinite(rmse));
    if (window.length === 0) continue;
    const square = window.reduce((sum, { rmse }) => sum + rmse * rmse, 0) / window.length;
    out.push({ step: window.at(-1)!.step, rmse: Math.sqrt(square) });
  }
  return out;
}

export interface Throughput {
  steps: number;
  /** Median milliseconds of a step, without waiting. */
  stepMs: number;
  /** Mean milliseconds that a step waited for its batch. */
  waitMs: number;
  /** Time of all steps together, waiting included; validation and saving are not in it. */
  minutes: number;
  /** The most memory that was resident, in megabytes. */
  rssMb: number;
}

/** Undefined for a run that has logged no step yet. */
export function throughput({ train }: Metrics): Throughput | undefined {
  const last = train.at(-1);
  if (!last) return undefined;
  let ms = 0;
  let waited = 0;
  train.forEach(({ step, stepMs, dataWaitMs }, i) => {
    const steps = step - (train[i - 1]?.step ?? 0);
    ms += steps * (stepMs + dataWaitMs);
    waited += steps * dataWaitMs;
  });
  const sorted = train.map(({ stepMs }) => stepMs).sort((a, b) => a - b);
  return {
    steps: last.step,
    stepMs: sorted[Math.floor(sorted.length / 2)]!,
    waitMs: waited / last.step,
    minutes: ms / 60_000,
    rssMb: train.reduce((most, { rssMb }) => Math.max(most, rssMb), 0),
  };
}
