import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Whether the native TensorFlow was built; says once how to get it. With CI=true it must be there. */
export function hasNative(): boolean {
  if (process.env.CI) return true;
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"));
  const built = existsSync(join(folder, "lib/napi-v8/tfjs_binding.node"));
  if (!built)
    console.log("skipped: the native TensorFlow is not built; get it with: npm run native");
  return built;
}
