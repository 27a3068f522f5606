import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, describe, expect, test } from "vitest";
import { hasNative } from "../test/has-native.ts";
import { ADDON, addonFolder, findTfjsNode, TFJS_NODE } from "./native/tfjs-node.ts";
import { type BackendName, useBackend } from "./use-backend.ts";

const home = mkdtempSync(join(tmpdir(), "gz-use-backend-test-"));
const here = process.cwd();
afterAll(() => {
  process.chdir(here);
  rmSync(home, { recursive: true });
});

test("checks its options", async () => {
  await expect(useBackend({ prefer: "cuda" as BackendName })).rejects.toThrow(
    "useBackend: expected one of tensorflow, webgpu, wasm for prefer but got cuda",
  );
  await expect(useBackend({ prefer: [] })).rejects.toThrow(
    "useBackend: expected at least one of tensorflow, webgpu, wasm for prefer but got none",
  );
  for (const prefer of [5, null])
    await expect(useBackend({ prefer: prefer as never })).rejects.toThrow(
      `useBackend: expected one of tensorflow, webgpu, wasm, or a list of them, for prefer but got ${prefer}`,
    );
  for (const threads of [0, -1, 1.5, NaN])
    await expect(useBackend({ threads })).rejects.toThrow(
      `useBackend: expected a positive integer for threads but got ${threads}`,
    );
});

test("a GPU that is asked for and not there is an error", async () => {
  await expect(useBackend({ prefer: "wasm", requireGpu: true })).rejects.toThrow(
    "useBackend: expected a GPU but found none: wasm computes on the CPU",
  );
});

test("tensorflow that is not built says how to get it, and the next of the list serves", async () => {
  const copy = join(home, "node_modules", TFJS_NODE);
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(join(findTfjsNode()!, "package.json"), join(copy, "package.json"));
  process.chdir(home);
  await expect(useBackend({ prefer: "tensorflow" })).rejects.toThrow(
    "useBackend: expected tensorflow to work but: tensorflow is not built yet; run: npm run native (in another project: npx gz-backend native)",
  );
  const info = await useBackend({ prefer: ["tensorflow", "wasm"], threads: 2 });
  expect(info).toMatchObject({ name: "wasm", gpu: false });
  const missing =
    "tensorflow is not built yet; run: npm run native (in another project: npx gz-backend native)";
  expect(info.skipped).toEqual([missing]);
  expect(info.line).toBe(
    `wasm ${info.version} on ${info.device}, ${info.threads} thread${info.threads === 1 ? "" : "s"}; passed over: ${missing}`,
  );
  expect(tf.getBackend()).toBe("wasm");

  // Without `prefer` it is no news that something is not there, but that it is there and broken is.
  expect((await useBackend({ threads: 2 })).skipped).not.toContain(missing);
  const addon = join(addonFolder(copy), ADDON);
  mkdirSync(dirname(addon), { recursive: true });
  writeFileSync(addon, "");
  const { skipped, line } = await useBackend({ threads: 2 });
  expect(skipped[0]).toMatch(/^tensorflow does not load \(.+\); run: npm run native -- --force/s);
  expect(line).toContain(`; passed over: ${skipped[0]}`);
  process.chdir(here);
});

describe.skipIf(!hasNative)("with the native build", () => {
  test("auto takes tensorflow and says so", async () => {
    const info = await useBackend({ threads: 2 });
    expect(info).toMatchObject({ name: "tensorflow", version: "2.21.0", threads: 2 });
    expect(info.line).toBe(`tensorflow 2.21.0 on ${info.device}, 2 threads`);
    expect(tf.getBackend()).toBe("tensorflow");
    expect(JSON.parse(JSON.stringify(info))).toEqual(info);
  });

  test("the thread count is chosen once", async () => {
    expect(await useBackend({ prefer: "tensorflow" })).toMatchObject({ threads: 2 });
    await expect(useBackend({ prefer: "tensorflow", threads: 1 })).rejects.toThrow(
      "expected threads 2, with which TensorFlow was loaded in this process, but got 1; it can be chosen once",
    );
  });

  test("processes that it starts have their own threads, and settings of their own count", () => {
    const use = (threads: number) =>
      `const { useBackend } = await import(${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)});
      await useBackend({ prefer: "tensorflow", threads: ${threads} });`;
    const child = `${use(1)}
      const { TF_NUM_INTEROP_THREADS, TF_ENABLE_ONEDNN_OPTS, TF_CPU_ALLOCATOR_USE_BFC } = process.env;
      console.log(TF_NUM_INTEROP_THREADS, TF_ENABLE_ONEDNN_OPTS, TF_CPU_ALLOCATOR_USE_BFC);`;
    const args = (script: string) => ["--input-type=module", "--eval", script];
    const parent = `${use(3)}
      const env = { ...process.env, TF_ENABLE_ONEDNN_OPTS: "0" };
      const { execFileSync } = await import("node:child_process");
      execFileSync(process.execPath, ${JSON.stringify(args(child))}, { env, stdio: "inherit" });`;
    const printed = execFileSync(process.execPath, args(parent), { encoding: "utf8" });
    expect(printed.trim().split("\n").at(-1)).toBe("1 0 1");
  });

  test("its own processor is no GPU, and the backend stays what it was", async () => {
    const { gpu } = await useBackend();
    if (gpu) return; // the CUDA build on a machine that has one
    await tf.setBackend("cpu");
    await expect(useBackend({ prefer: "tensorflow", requireGpu: true })).rejects.toThrow(
      /^useBackend: expected a GPU but found none: tensorflow computes on CPU \(.+\) \(its CUDA build: npm run native -- --cuda; in another project: npx gz-backend native --cuda\)$/,
    );
    expect(tf.getBackend()).toBe("cpu");
  });
});
