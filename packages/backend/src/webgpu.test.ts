// On SwiftShader, which comes with Chromium: tiny shapes only. In processes of their own, since the driver is chosen by the
// environment, on the built package (`npm test` builds first).
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";

// Starts several processes.
const timeout = 240_000;
const run = promisify(execFile);
const script = new URL("../test/train-on.mjs", import.meta.url).pathname;
const folder = "/usr/lib/chromium";
const icd = `${folder}/vk_swiftshader_icd.json`;
const swiftShader = { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd };
// CI has Chromium: there it must not be skipped.
const skipped = !existsSync(icd) && !process.env.CI;
if (skipped) console.log(`webgpu: skipped without ${icd}; apt-get install chromium`);

test.skipIf(skipped)("trains as tfjs's cpu does, and the process ends", { timeout }, async () => {
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
});

test("says what is missing", { timeout }, async () => {
  const nowhere = { LD_LIBRARY_PATH: "", VK_ICD_FILENAMES: "/none", VK_DRIVER_FILES: "/none" };
  await expect(
    run(process.execPath, [script, "webgpu"], { env: { ...process.env, ...nowhere } }),
  ).rejects.toThrow("useWebgpu: expected a WebGPU adapter but found none");
});
