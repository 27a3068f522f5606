import { availableParallelism } from "node:os";
import * as tf from "@tensorflow/tfjs";
import { NotInstalled } from "./not-installed.ts";
import { registerReluGradient } from "./relu-gradient.ts";

/** The backends, in the order in which they are tried. */
const NAMES = ["tensorflow", "webgpu", "wasm"] as const;
/** Name of a backend, as tfjs registers it. */
export type BackendName = (typeof NAMES)[number];

/** Options of `useBackend`. */
export interface BackendOptions {
  /** The backend to use, or several in the order of preference; without it the first that works of tensorflow, webgpu (on a real GPU) and wasm. */
  prefer?: BackendName | readonly BackendName[];
  /** An error unless the backend computes on a GPU. Default false. */
  requireGpu?: boolean;
  /** CPU threads, a positive integer; wasm uses at most 8. Default: as many as the machine has. */
  threads?: number;
}

/** What was chosen: plain data for a run's record. */
export interface BackendInfo {
  name: BackendName;
  /** Such as "CPU (AVX2, AMD EPYC)". */
  device: string;
  gpu: boolean;
  /** CPU threads; 1 for webgpu, which computes elsewhere. */
  threads: number;
  /** TensorFlow's version, or that of the tfjs backend. */
  version: string;
  /** Why backends that came before it were passed over; without `prefer`, of those that are installed. */
  skipped: readonly string[];
  /** All of it in one line for people. */
  line: string;
}

type Found = Omit<BackendInfo, "name" | "skipped" | "line">;

/**
 * Makes a backend that trains the backend of @tensorflow/tfjs, and registers its fused kernels.
 *
 * Without `prefer` the first that works of tensorflow (`npm run native`), webgpu (only on a real GPU) and wasm.
 * Throws a TypeError or RangeError for a bad option, and an Error that gives the reason and the command that helps
 * if a preferred backend does not work or `requireGpu` finds no GPU.
 */
export async function useBackend(options: BackendOptions = {}): Promise<BackendInfo> {
  const { prefer, requireGpu = false, threads } = options;
  const names = prefer === undefined ? NAMES : typeof prefer === "string" ? [prefer] : prefer;
  check(names, threads);
  const before = tf.getBackend();
  const reasons: string[] = [];
  const skipped: string[] = [];
  for (const name of names) {
    try {
      if (requireGpu && name === "wasm") throw new Error("wasm computes on the CPU");
      const found = await start[name](threads, prefer === undefined || requireGpu);
      if (requireGpu && !found.gpu) {
        const cuda =
          "its CUDA build: npm run native -- --cuda; in another project: npx gz-backend native --cuda";
        throw new Error(
          `${name} computes on ${found.device}${name === "tensorflow" ? ` (${cuda})` : ""}`,
        );
      }
      registerReluGradient();
      return { name, ...found, skipped, line: describe(name, found, skipped) };
    } catch (error) {
      const reason = (error as Error).message.replace(/^use\w+: /, "");
      reasons.push(reason);
      if (prefer !== undefined || !(error instanceof NotInstalled)) skipped.push(reason);
    }
  }
  // One that has no GPU may have become the backend on the way.
  if (before && tf.getBackend() !== before) await tf.setBackend(before);
  if (requireGpu)
    throw new Error(`useBackend: expected a GPU but found none: ${reasons.join("; ")}`);
  throw new Error(`useBackend: expected ${names.join(" or ")} to work but: ${reasons.join("; ")}`);
}

// Each is loaded only when it is tried: webgpu and tfjs-node may not be installed.
const start: Record<
  BackendName,
  (threads: number | undefined, realGpu: boolean) => Promise<Found>
> = {
  async tensorflow(threads) {
    const { useTensorflow } = await import("./tensorflow/load.ts");
    return useTensorflow(threads);
  },
  async webgpu(_threads, realGpu) {
    const { useWebgpu } = await import("./webgpu.ts");
    const { device, isGpu } = await useWebgpu({ realGpu });
    return { device, gpu: isGpu, threads: 1, version: tf.version_core };
  },
  async wasm(threads) {
    const { useWasm } = await import("./wasm/index.ts");
    const used = await useWasm({ threads: Math.min(threads ?? availableParallelism(), 8) });
    return { ...used, gpu: false, version: tf.version_core };
  },
};

function check(names: readonly string[], threads: number | undefined): void {
  const known = NAMES.join(", ");
  if (!Array.isArray(names))
    throw new TypeError(
      `useBackend: expected one of ${known}, or a list of them, for prefer but got ${names}`,
    );
  if (names.length === 0)
    throw new RangeError(`useBackend: expected at least one of ${known} for prefer but got none`);
  for (const name of names)
    if (!NAMES.includes(name as BackendName))
      throw new RangeError(`useBackend: expected one of ${known} for prefer but got ${name}`);
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0))
    throw new RangeError(`useBackend: expected a positive integer for threads but got ${threads}`);
}

function describe(
  name: BackendName,
  { device, gpu, threads, version }: Found,
  skipped: readonly string[],
): string {
  const suffix = gpu ? "" : `, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  const instead = skipped.map((reason) => `; passed over: ${reason}`).join("");
  return `${name} ${version} on ${device}${suffix}${instead}`;
}
