import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { build, type Rollup } from "vite";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** Whether to leave out what needs a browser; says so in one line. With CI=true a browser must be there. */
export const withoutChromium: boolean = !existsSync(executablePath) && process.env.CI !== "true";
if (withoutChromium)
  console.log(
    `skipped: no Chromium at ${executablePath}; apt-get install chromium, or set CHROMIUM_PATH`,
  );

/** A Chromium that reaches for no network, display or GPU. */
export function launchChromium(): Promise<Browser> {
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return chromium.launch({ executablePath, args });
}

/**
 * One script that sets the global `gz` to the exports of a module.
 *
 * @param conditions of package.json's "exports": "@gz/source" bundles the sources
 */
export async function bundle(entry: string, conditions: string[]): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: "warn",
    resolve: { conditions: [...conditions, "browser", "module", "import", "default"] },
    build: { write: false, minify: false, lib: { entry, name: "gz", formats: ["iife"] } },
  })) as Rollup.RollupOutput[];
  return built[0]!.output[0].code;
}
