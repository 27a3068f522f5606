// On SwiftShader: tiny shapes only. In processes of their own, since the driver is chosen by the
// environment, on the built package (`npm test` builds first).
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { swiftShader, withoutSwiftShader } from "../../../test/swift-shader.ts";

// Starts several processes.
const timeout = 240_000;
const run = promisify(execFile);
const script = new URL("../test/train-on.mjs", import.meta.url).pathname;
test.skipIf(withoutSwiftShader)(
  "trains as tfjs's cpu does, and the process ends",
  { timeout },
  async () => {
    const losses = async (name: string, env = {}) => {
      const { stdout } = await run(process.execPath, [script, name], {
        env: { ...process.env, ...env },
      });
      return JSON.parse(stdout.trim().split("\n").at(-1)!);
    };
    const cpu = await losses("cpu");
    const webgpu = await losses("webgpu", swiftShader);
    expect(webgpu.losses).toBeAllClose(cpu.losses, { rtol: 1e-5 });
    expect(webgpu).toMatchObject({ device: expect.stringContaining("SwiftShader"), isGpu: false });
  },
);

test("says what is missing", { timeout }, async () => {
  const nowhere = { LD_LIBRARY_PATH: "", VK_ICD_FILENAMES: "/none", VK_DRIVER_FILES: "/none" };
  await expect(
    run(process.execPath, [script, "webgpu"], { env: { ...process.env, ...nowhere } }),
  ).rejects.toThrow("useWebgpu: expected a WebGPU adapter but found none");
});

test("a package that is not there is no fault, one that does not load is", {
  timeout,
}, async () => {
  const home = mkdtempSync(join(tmpdir(), "gz-webgpu-test-"));
  const modules = join(home, "node_modules");
  cpSync(new URL("../dist", import.meta.url), join(home, "dist"), { recursive: true });
  writeFileSync(join(home, "package.json"), '{ "type": "module" }');
  mkdirSync(modules);
  const tensorflow = "node_modules/@tensorflow";
  symlinkSync(new URL(`../../../${tensorflow}`, import.meta.url).pathname, join(home, tensorflow));
  const script = `const { useWebgpu } = await import("./dist/webgpu.js");
    await useWebgpu().catch((error) => console.log(error.constructor.name, error.message));`;
  const outcome = async () => {
    const args = ["--input-type=module", "--eval", script];
    const { stdout } = await run(process.execPath, args, { cwd: home });
    return stdout.trim().split("\n").at(-1);
  };
  const said = "useWebgpu: expected the package webgpu but it did not load; npm install webgpu (";
  expect(await outcome()).toContain(`NotInstalled ${said}`);
  mkdirSync(join(modules, "webgpu"));
  writeFileSync(join(modules, "webgpu", "index.js"), 'throw new Error("no libvulkan")');
  expect(await outcome()).toBe(`Error ${said}no libvulkan)`);
  rmSync(home, { recursive: true });
});
