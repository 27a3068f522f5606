// Outer products, shared between the main thread and workers that wait on a shared counter. Each owns a range of rows of the
// result, so that nothing is added twice or in another order: the bytes do not depend on the number of threads.
import { type Backend, compiledFor, dispose, simd } from "./heap.ts";
import { JOB_FIELDS } from "./outer-products.ts";
import { startWorker } from "./worker.ts";

/** dw[c, o] += the sum of x[p, c] dy[p, o] over images x rows x columns p; addresses and strides in bytes. */
export interface OuterProduct {
  x: number;
  dy: number;
  dw: number;
  pixels: readonly [images: number, rows: number, columns: number];
  xStrides: readonly [number, number, number];
  /** Of images and rows; neighbours in a row are adjacent. */
  dyStrides: readonly [number, number];
  channels: number;
  /** Which row of the result the first row of dw is. */
  first: number;
}

/** What the workers read, int32: a counter of calls, workers still at work, the call's arguments, then the bounds of the shares. */
const CALL = 0;
const PENDING = 1;
const ARGUMENTS = 2;
const BOUNDS = 5;

/** What a worker does: see worker.ts for what it finds in scope. */
const WORKER = `
const { module, memory, control, share } = data;
const { outerProductsOf } = new WebAssembly.Instance(module, { env: { memory } }).exports;
ready();
for (let call = 0; ; ) {
  Atomics.wait(control, ${CALL}, call);
  call = Atomics.load(control, ${CALL});
  outerProductsOf(...control.subarray(${ARGUMENTS}, ${BOUNDS}), control[${BOUNDS} + share], control[${BOUNDS} + share + 1]);
  if (Atomics.sub(control, ${PENDING}, 1) === 1) Atomics.notify(control, ${PENDING});
}`;

/** Below so many multiplications waking the workers costs more than they save. */
const WORTHWHILE = 1_000_000;

interface Team {
  control: Int32Array;
  size: number;
  /** Whether this thread may sleep until the others are done: a page's own may not. */
  maySleep: boolean;
}
const teams = new WeakMap<object, Team>();

/** Starts the workers that make a team of so many threads with this one, on a memory that can be shared. */
export async function startTeam(wasm: Backend["wasm"], size: number): Promise<void> {
  const { module, memory } = compiledFor(wasm);
  const control = new Int32Array(new SharedArrayBuffer(4 * (BOUNDS + size + 1)));
  const workers = Array.from({ length: size - 1 }, (_, i) =>
    startWorker(WORKER, { module, memory, control, share: i + 1 }),
  );
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    teams.set(wasm, { control, size, maySleep: maySleep(control) });
    for (const worker of workers) worker.unref();
  } catch (error) {
    for (const worker of workers) worker.terminate();
    throw error;
  }
}

function maySleep(control: Int32Array<SharedArrayBuffer>): boolean {
  try {
    Atomics.wait(control, CALL, control[CALL]! + 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Adds them to a result of so many rows, each of `outputs` values. */
export function addOuterProducts(
  backend: Backend,
  products: readonly OuterProduct[],
  rows: number,
  outputs: number,
): void {
  const jobs = backend.makeOutput([products.length * JOB_FIELDS], "int32");
  const fields = backend.typedArrayFromHeap(jobs);
  products.forEach(({ x, dy, dw, pixels, xStrides, dyStrides, channels, first }, i) => {
    fields.set([x, dy, dw, ...pixels, ...xStrides, ...dyStrides, channels, first], i * JOB_FIELDS);
  });
  const start = backend.dataIdMap.get(jobs.dataId).memoryOffset;
  const args = [start, products.length, outputs];
  const { outerProductsOf } = simd(backend);
  const team = teams.get(backend.wasm);
  const work = products.reduce(
    (sum, { pixels: [n, h, w], channels }) => sum + n * h * w * channels * outputs,
    0,
  );
  if (!team || work < WORTHWHILE) outerProductsOf(...args, 0, rows);
  else {
    const { control, size, maySleep } = team;
    control.set(args, ARGUMENTS);
    // Blocks of four rows stay whole.
    for (let i = 0; i <= size; i++)
      control[BOUNDS + i] = Math.min(rows, 4 * Math.round((rows * i) / size / 4));
    control[BOUNDS + size] = rows;
    Atomics.store(control, PENDING, size - 1);
    Atomics.add(control, CALL, 1);
    Atomics.notify(control, CALL);
    outerProductsOf(...args, 0, control[BOUNDS + 1]);
    for (let left = size - 1; left > 0; left = Atomics.load(control, PENDING))
      if (maySleep) Atomics.wait(control, PENDING, left);
  }
  dispose(backend, jobs);
}
