// On SwiftShader: tiny shapes only. In processes of their own, since the driver is chosen by the
// environment, on the built package (`npm test` builds first).
import { execFile } from "node:child_process";
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
