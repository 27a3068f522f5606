import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import util from "node:util";
import * as tf from "@tensorflow/tfjs";
import {
  ADDON,
  addonFolder,
  findTfjsNode,
  QUIET,
  readManifest,
  TFJS_NODE,
} from "../native/tfjs-node.ts";
import { NotInstalled } from "../not-installed.ts";
import { nodeBackend } from "./node-backend.ts";
import { registerTensorflowKernels } from "./register.ts";

/** On what TensorFlow computes. */
export interface TensorflowDevice {
  device: string;
  gpu: boolean;
  threads: number;
  version: string;
}

const HOW = "run: npm run native (in another project: npx gz-backend native)";
const AGAIN = "run: npm run native -- --force (in another project: npx gz-backend native --force)";

// TensorFlow reads its thread count once, when it is loaded.
let loadedThreads: number | undefined;

/** Loads the native build and makes it tfjs's backend, or throws an Error that says what is missing. */
export async function useTensorflow(threads?: number): Promise<TensorflowDevice> {
  if (loadedThreads === undefined) load(threads ?? availableParallelism());
  else if (threads !== undefined && threads !== loadedThreads)
    throw new Error(
      `useBackend: expected threads ${loadedThreads}, with which TensorFlow was loaded in this process, but got ${threads}; it can be chosen once`,
    );
  if (!(await tf.setBackend("tensorflow")))
    throw new Error("useBackend: tensorflow was loaded but could not be made the backend");
  const { binding, isUsingGpuDevice: gpu } = nodeBackend();
  return {
    device: gpu ? gpuName() : cpuName(),
    gpu,
    threads: loadedThreads!,
    version: binding.TF_Version,
  };
}

function load(threads: number): void {
  const folder = findTfjsNode();
  if (!folder)
    throw new NotInstalled(
      `useBackend: tensorflow needs the npm package ${TFJS_NODE}; run: npm install --ignore-scripts ${TFJS_NODE}@4.22.0, then ${HOW}`,
    );
  if (!existsSync(join(addonFolder(folder), ADDON)))
    throw new NotInstalled(`useBackend: tensorflow is not built yet; ${HOW}`);
  const manifest = readManifest(folder);
  for (const library of Object.keys(manifest?.libraries ?? {}))
    if (!existsSync(library))
      throw new Error(`useBackend: TensorFlow's library ${library} is gone; ${HOW}`);

  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  const wantsLogs = !setUnlessGiven({
    TF_CPP_MIN_LOG_LEVEL: "2",
    // Operations of a graph side by side; those that are called one by one are not.
    TF_NUM_INTEROP_THREADS: String(threads),
    // TensorFlow turns oneDNN's convolutions on by itself only for AVX-512; they are faster with AVX2 too.
    TF_ENABLE_ONEDNN_OPTS: "1",
    // oneDNN's convolutions are kept between steps: set up anew at each they cost a small network a twentieth of its step.
    TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE: "false",
    // Its own pool of memory: with malloc every large tensor is fresh pages from the kernel, and an
    // elementwise operation takes two to three times as long.
    TF_CPU_ALLOCATOR_USE_BFC: "1",
    TF_CPU_BFC_MEM_LIMIT_IN_MB: String(Math.ceil(totalmem() / 2 ** 20)),
  }).includes("TF_CPP_MIN_LOG_LEVEL");
  // tfjs-node calls two functions that Node 22 warns of and Node 23 removed.
  const isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  Object.assign(util, { isNullOrUndefined, isArray: Array.isArray });
  const require = createRequire(join(folder, "package.json"));
  const quiet = !wantsLogs && manifest && require(join(addonFolder(folder), QUIET));
  if (quiet) quiet.begin();
  try {
    require(folder);
  } catch (error) {
    throw new Error(`useBackend: tensorflow does not load (${(error as Error).message}); ${AGAIN}`);
  } finally {
    if (quiet) quiet.end();
  }
  if (!tf.findBackend("tensorflow"))
    throw new Error(
      "useBackend: tfjs-node uses another copy of @tensorflow/tfjs than this package; run: npm dedupe @tensorflow/tfjs",
    );
  loadedThreads = threads;
  registerTensorflowKernels(manifest?.operations ?? []);
}

/** The settings that are ours, NAME=VALUE, for the processes that this one starts: they have their own number of threads. */
const OURS = "GZ_TENSORFLOW_SETTINGS";

/** Sets what the user has not set for TensorFlow, which reads its settings when it is loaded and later; returns the names. */
function setUnlessGiven(settings: Record<string, string>): string[] {
  const inherited = process.env[OURS]?.split(",") ?? [];
  const names = Object.keys(settings).filter(
    (name) => process.env[name] === undefined || inherited.includes(`${name}=${process.env[name]}`),
  );
  for (const name of names) process.env[name] = settings[name];
  process.env[OURS] = names.map((name) => `${name}=${settings[name]}`).join();
  return names;
}

/** "CPU (AVX2, AMD EPYC)". */
function cpuName(): string {
  const model = cpus()[0]?.model.replace(/\s+/g, " ").trim();
  return `CPU (${[vectorUnit(), model].filter(Boolean).join(", ")})`;
}

function vectorUnit(): string | undefined {
  if (process.arch === "arm64") return "NEON";
  const info = "/proc/cpuinfo";
  if (!existsSync(info)) return undefined;
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync(info, "utf8"))?.[1]?.trim().split(" ") ?? [];
  if (flags.includes("avx512f")) return "AVX512";
  return flags.includes("avx2") ? "AVX2" : undefined;
}

/** "GPU (NVIDIA H100)", by the driver's own files. */
function gpuName(): string {
  const folder = "/proc/driver/nvidia/gpus";
  if (!existsSync(folder)) return "GPU";
  const models = readdirSync(folder).map(
    (name) => /^Model:\s*(.*)$/m.exec(readFileSync(join(folder, name, "information"), "utf8"))?.[1],
  );
  return `GPU (${models.join(", ")})`;
}
