/**
 * Where the time of training steps goes. Operations are those that TensorFlow.js's engine runs; the optimisers' fused
 * updates are not among them: they are the stage "update" as a whole.
 */
import type { Stage } from "@gz/train";
import * as tf from "@tensorflow/tfjs";

/** Of a step, in order; "between" is what comes before the next one is asked for: average, log, validate, save. */
export const STAGES = [
  "wait",
  "upload",
  "forward",
  "backward",
  "update",
  "loss",
  "between",
] as const;
type StageName = Stage | "between";

/** Milliseconds on one clock. */
interface Span<Name extends string = string> {
  name: Name;
  start: number;
  end: number;
}

interface Operation extends Span {
  stage: StageName;
  /** Milliseconds without the operations inside it. */
  self: number;
  /** Of its inputs, as in "x 32x48x48x3, filter 5x5x3x24". */
  shapes: string;
}

/** What was seen of some steps. */
export interface Profile {
  /** How many. */
  steps: number;
  stages: readonly Span<StageName>[];
  operations: readonly Operation[];
}

export interface Profiler {
  /** Called as a stage begins: for trainLoop. */
  onStage(stage: Stage): void;
  /** Called after each step. Returns the profile when its last step is done. */
  stepDone(): Profile | undefined;
  /** Ends it before: returns what there is of whole steps, if anything. */
  end(): Profile | undefined;
}

/** Looks at `count` steps after the first `warmUp`, which set up what later ones find. */
export function createProfiler({ warmUp = 10, count = 20 } = {}): Profiler {
  const stages: Span<StageName>[] = [];
  const operations: Operation[] = [];
  let done = 0;
  let open: { name: StageName; start: number } | undefined; // nothing is open: nothing is recorded
  let release = () => {};

  const enter = (name: StageName | undefined): void => {
    const now = performance.now();
    if (open) stages.push({ ...open, end: now });
    open = name && { name, start: now };
  };
  const end = (): Profile | undefined => {
    if (!open) return undefined;
    enter(undefined);
    release();
    const steps = Math.min(done - warmUp, count);
    return steps > 0 ? { steps, stages, operations } : undefined;
  };

  return {
    onStage(stage) {
      if (open) enter(stage);
    },
    stepDone() {
      done++;
      if (done === warmUp + count) return end();
      if (done === warmUp)
        release = recordOperations((operation) => {
          if (open) operations.push({ ...operation, stage: open.name });
        });
      if (done === warmUp || open) enter("between");
      return undefined;
    },
    end,
  };
}

/** Tells every operation of the engine as it ends, until the function that it returns is called. */
function recordOperations(tell: (operation: Omit<Operation, "stage">) => void): () => void {
  const engine = tf.engine();
  const runKernel = engine.runKernel;
  let within = 0; // milliseconds of the operations inside the present one
  engine.runKernel = ((name: string, inputs: tf.NamedTensorMap, attrs?: tf.NamedAttrMap) => {
    const outer = within;
    within = 0;
    const start = performance.now();
    try {
      return runKernel.call(engine, name, inputs, attrs);
    } finally {
      const end = performance.now();
      tell({ name, start, end, self: end - start - within, shapes: shapesOf(inputs) });
      within = outer + end - start;
    }
  }) as typeof runKernel;
  return () => {
    engine.runKernel = runKernel;
  };
}

function shapesOf(inputs: tf.NamedTensorMap): string {
  return Object.entries(inputs)
    .flatMap(([name, value]) => [value].flat().map((tensor) => ({ name, tensor })))
    .filter(({ tensor }) => tensor) // an input that may be left out
    .map(({ name, tensor }) => `${name} ${tensor.shape.join("x") || "scalar"}`)
    .join(", ");
}
