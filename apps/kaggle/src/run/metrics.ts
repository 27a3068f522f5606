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

interface ValidLine {
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

/** At most 80 points, to be drawn: over as many lines as fall together, the root of the mean square error. */
export function smoothedRmse(lines: readonly TrainLine[]): { step: number; rmse: number }[] {
  // Where no loss was read, JSON holds null for NaN.
  const read = lines.filter(({ rmse }) => Number.isFinite(rmse));
  return windows(read).map((window) => ({
    step: window.at(-1)!.step,
    rmse: Math.sqrt(mean(window.map(({ rmse }) => rmse * rmse))),
  }));
}

/** At most 80 points: mean milliseconds of a step, waiting included. */
export function smoothedTime(lines: readonly TrainLine[]): { step: number; ms: number }[] {
  return windows(lines).map((window) => ({
    step: window.at(-1)!.step,
    ms: mean(window.map(({ stepMs, dataWaitMs }) => stepMs + dataWaitMs)),
  }));
}

function windows(lines: readonly TrainLine[]): TrainLine[][] {
  const size = Math.ceil(lines.length / 80);
  return Array.from({ length: Math.ceil(lines.length / size) || 0 }, (_, i) =>
    lines.slice(i * size, (i + 1) * size),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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
