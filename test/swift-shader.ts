import { existsSync } from "node:fs";

const folder = "/usr/lib/chromium";
const driver = `${folder}/vk_swiftshader_icd.json`;

/** The environment of a process that computes WebGPU on SwiftShader, a driver for CPUs that comes with Chromium. */
export const swiftShader = {
  LD_LIBRARY_PATH: folder,
  VK_ICD_FILENAMES: driver,
  VK_DRIVER_FILES: driver,
};

/** Whether to leave out what needs it; says so in one line. With CI=true it must be there. */
export const withoutSwiftShader: boolean = !existsSync(driver) && process.env.CI !== "true";
if (withoutSwiftShader) console.log(`webgpu: skipped without ${driver}; apt-get install chromium`);
