// tfjs's webgpu backend, in Node on Dawn (the npm package "webgpu", which brings its binary), in a browser on the browser's own.
import * as tf from "@tensorflow/tfjs";
import { NotInstalled } from "./not-installed.ts";

/** Options of `useWebgpu`. */
export interface WebgpuOptions {
  /** Refuse a device that computes on the CPU, such as SwiftShader. Default false. */
  realGpu?: boolean;
}

/** What tfjs asks of a device beyond WebGPU's defaults. */
const LIMITS = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
] as const;

/**
 * Makes tfjs's webgpu backend the current one. `device` is the adapter's own description; `isGpu` is false where it computes
 * on the CPU. Throws an Error if a package or an adapter is missing, and with `realGpu` if the adapter is no GPU.
 */
export async function useWebgpu(
  options: WebgpuOptions = {},
): Promise<{ device: string; isGpu: boolean }> {
  const { realGpu = false } = options;
  // Dawn complains to the terminal where Vulkan is missing: do not start it in vain.
  if (realGpu && !mayHaveGpu())
    throw new NotInstalled(`useWebgpu: expected a GPU but found none of ${GPU_FILES.join(", ")}`);
  const gpu = await findGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw new Error(
      "useWebgpu: expected a WebGPU adapter but found none; it needs a driver for Vulkan, Metal or D3D12",
    );
  const isGpu = !adapter.info.isFallbackAdapter;
  const device = adapter.info.description || adapter.info.vendor;
  if (realGpu && !isGpu) throw new Error(`useWebgpu: expected a GPU but found ${device}`);
  if (!tf.findBackend("webgpu")) await register(adapter);
  if (!(await tf.setBackend("webgpu")))
    throw new Error(
      `useWebgpu: expected tfjs's webgpu backend to start on ${device} but it did not`,
    );
  return { device, isGpu };
}

const GPU_FILES = ["/dev/dri", "/dev/nvidia0", "/dev/dxg"];

function mayHaveGpu(): boolean {
  if (typeof process !== "object" || process.platform !== "linux") return true;
  const { existsSync } = process.getBuiltinModule("node:fs");
  return GPU_FILES.some((file) => existsSync(file));
}

/**
 * The browser's navigator.gpu, or Dawn's put in its place, where tfjs looks for it. It stays there: Dawn crashes at exit if its object
 * was collected before its devices.
 */
async function findGpu(): Promise<GPU> {
  const scope = globalThis as { navigator?: { gpu?: GPU } };
  if (scope.navigator?.gpu) return scope.navigator.gpu;
  const { create, globals } = await optional(() => import("webgpu"), "webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  scope.navigator ??= {}; // Node 20 has none
  Object.defineProperty(scope.navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}

/** Registers the backend on this adapter; tfjs's own registration needs navigator.gpu when it is imported, and fails obscurely. */
async function register(adapter: GPUAdapter): Promise<void> {
  const { WebGPUBackend } = await optional(
    () => import("@tensorflow/tfjs-backend-webgpu"),
    "@tensorflow/tfjs-backend-webgpu",
  );
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  if (tf.findBackendFactory("webgpu")) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WebGPUBackend(device, adapter.info));
}

/** An optional peer dependency; one that is there and broken is no `NotInstalled`. */
async function optional<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const Kind = code === "ERR_MODULE_NOT_FOUND" ? NotInstalled : Error;
    throw new Kind(
      `useWebgpu: expected the package ${name} but it did not load; npm install ${name} (${message})`,
    );
  }
}
