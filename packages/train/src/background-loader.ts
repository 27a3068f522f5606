import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { checkInteger, show } from "./_check.ts";

/** Options of `backgroundLoader`. */
export interface BackgroundLoaderOptions<Name extends string> {
  /**
   * A JavaScript module (file URL) whose default export fills one batch: `async ({ step, xs, ys }) => { … }` writes every
   * element of the Float32Arrays it is given, from `step` alone. It finds `workerData` in "node:worker_threads".
   */
  worker: URL;
  /** Given to each worker once. */
  workerData?: unknown;
  /** Shape of each of a batch's arrays: `{ xs: [16, 45, 45, 3], ys: [16, 37] }`. */
  batch: Record<Name, readonly number[]>;
  /** Threads; 1 if left out. */
  workers?: number;
  /** Batches held in memory, the one in use included: one in use, the rest ready or being filled. At least 2; two more than workers if left out. */
  depth?: number;
  /** First step; 0 if left out. */
  startStep?: number;
  /** The loader ends before this step; without it, it never does. */
  steps?: number;
}

/** A filled batch. Its arrays are reused: they are valid until the next batch is asked for. */
export type LoadedBatch<Name extends string> = Record<
  Name,
  { data: Float32Array; shape: readonly number[] }
> & {
  step: number;
  /** How long the consumer stood waiting for it. */
  waitMs: number;
};

/** Batches in the order of their steps. It can be iterated once; leaving the iteration closes it. */
export interface BackgroundLoader<Name extends string> extends AsyncIterable<LoadedBatch<Name>> {
  /** Ends the workers, also in the middle of a batch, and with them the iteration. */
  close(): Promise<void>;
}

/**
 * Fills batches on worker threads, ahead of their use, in a ring of `depth` shared buffers that are never copied.
 *
 * A batch depends on its step alone and batches come in the order of their steps, so any number of workers gives the
 * same run. When the ring is full the workers rest. An error in a worker reaches the iteration with the batch's step.
 */
export function backgroundLoader<Name extends string>(
  options: BackgroundLoaderOptions<Name>,
): BackgroundLoader<Name> {
  const { workers = 1, depth = workers + 2, startStep = 0, steps = Infinity } = options;
  check(options, { workers, depth, startStep, steps });
  const ring = Array.from({ length: depth }, () => sharedArrays(options.batch));
  const pool = new Piscina({
    filename: fileURLToPath(options.worker),
    workerData: options.workerData,
    minThreads: workers,
    maxThreads: workers,
  });
  let closed = false;
  const close = (): Promise<void> => {
    closed = true;
    return pool.destroy();
  };
  let crash: Error | undefined;
  let onCrash: (error: Error) => void = () => {};
  pool.on("error", (error) => {
    crash ??= error as Error;
    onCrash(crash);
  });

  function fill(step: number): Promise<void> {
    const filled = pool.run({ step, ...ring[step % depth] });
    filled.catch(() => {}); // heard when its turn comes
    return filled;
  }

  /**
   * Settles with a batch, or with the error of a worker that died without one in hand, which would leave those in the
   * queue unanswered. Not Promise.race: what each step hangs on a promise that never settles stays as long as it does.
   */
  function arrival(filled: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      onCrash = reject;
      filled.then(resolve, reject);
      if (crash) queueMicrotask(() => reject(crash)); // after a batch that is ready
    });
  }

  let iterated = false;
  function iterate(): AsyncIterator<LoadedBatch<Name>, void, void> {
    if (iterated)
      throw new Error("backgroundLoader: expected one iteration but this is the second");
    iterated = true;
    const steps = batches();
    return {
      next: () => steps.next(),
      async return() {
        await close(); // also before the first batch, when a generator's finally would not be reached
        return steps.return();
      },
    };
  }

  async function* batches(): AsyncGenerator<LoadedBatch<Name>, void, void> {
    const filling: Promise<void>[] = []; // of this step and those after it, one for each place in the ring
    try {
      for (let step = startStep; step < steps && !closed; step++) {
        const asked = performance.now();
        while (filling.length < depth && step + filling.length < steps)
          filling.push(fill(step + filling.length));
        const error = await arrival(filling[0]!).then(
          () => undefined, // whatever the worker's function returned
          (error: Error) => error,
        );
        if (closed) return;
        if (error)
          throw new Error(`backgroundLoader: step ${step}: ${error.message}`, { cause: error });
        const waitMs = performance.now() - asked;
        yield { ...withShapes(ring[step % depth]!, options.batch), step, waitMs };
        filling.shift();
      }
    } finally {
      await close();
    }
  }

  return { [Symbol.asyncIterator]: iterate, close };
}

type Arrays<Name extends string> = Record<Name, Float32Array>;

function sharedArrays<Name extends string>(shapes: Record<Name, readonly number[]>): Arrays<Name> {
  const entries = Object.entries<readonly number[]>(shapes).map(([name, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [name, new Float32Array(new SharedArrayBuffer(4 * size))];
  });
  return Object.fromEntries(entries);
}

function withShapes<Name extends string>(
  arrays: Arrays<Name>,
  shapes: Record<Name, readonly number[]>,
): Record<Name, { data: Float32Array; shape: readonly number[] }> {
  const entries = Object.entries<Float32Array>(arrays).map(([name, data]) => [
    name,
    { data, shape: shapes[name as Name] },
  ]);
  return Object.fromEntries(entries);
}

function check(
  { worker, batch }: Pick<BackgroundLoaderOptions<string>, "worker" | "batch">,
  numbers: { workers: number; depth: number; startStep: number; steps: number },
): void {
  if (!(worker instanceof URL) || worker.protocol !== "file:")
    throw new TypeError(`backgroundLoader: expected a file URL for worker but got ${show(worker)}`);
  if (typeof batch !== "object" || batch === null || Object.keys(batch).length === 0)
    throw new TypeError(
      `backgroundLoader: expected shapes by name, such as { xs: [16, 45, 45, 3] }, for batch but got ${show(batch)}`,
    );
  for (const [name, shape] of Object.entries(batch)) {
    if (!Array.isArray(shape))
      throw new TypeError(
        `backgroundLoader: expected a shape for batch.${name} but got ${show(shape)}`,
      );
    if (name === "step" || name === "waitMs")
      throw new RangeError(
        `backgroundLoader: expected names other than step and waitMs in batch but got ${name}`,
      );
    for (const length of shape) checkInteger("backgroundLoader", `batch.${name}`, length, 1);
  }
  checkInteger("backgroundLoader", "workers", numbers.workers, 1);
  checkInteger("backgroundLoader", "depth", numbers.depth, 2);
  checkInteger("backgroundLoader", "startStep", numbers.startStep, 0);
  if (numbers.steps !== Infinity) checkInteger("backgroundLoader", "steps", numbers.steps, 1);
}
