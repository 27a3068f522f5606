import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const PAGE = fileURLToPath(new URL("../browser/page.mjs", import.meta.url));
const EXECUTABLE = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
/** A page has shared memory, and WebAssembly its threads, only where it is isolated. */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** A page of Chromium with a model that is ready to train; `step` is a side for `interleave`. */
export async function openPage(request) {
  if (!existsSync(EXECUTABLE))
    throw new Error(
      `openPage: expected Chromium at ${EXECUTABLE}: apt-get install chromium, or set CHROMIUM_PATH`,
    );
  const root = mkdtempSync(join(tmpdir(), "gz-bench-"));
  await buildSite(join(root, "site"));
  const server = await preview({
    configFile: false,
    root,
    build: { outDir: "site" },
    preview: { port: 0, headers: ISOLATED },
  });
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.goto(server.resolvedUrls.local[0]);
  await page.waitForFunction(() => globalThis.gz);
  const used = await page.evaluate((given) => globalThis.gz.open(given), request);
  return {
    used,
    version: `Chromium ${browser.version()}`,
    step: (times) => page.evaluate((count) => globalThis.gz.train(count), times),
    async close() {
      await browser.close();
      await server.close();
      rmSync(root, { recursive: true });
    },
  };
}

async function buildSite(outDir) {
  await build({
    configFile: false,
    logLevel: "error",
    root: dirname(PAGE),
    // tfjs gives its threads the text of a function, which minifying takes apart.
    build: { outDir, minify: false, lib: { entry: PAGE, formats: ["es"], fileName: "page" } },
  });
  writeFileSync(
    join(outDir, "index.html"),
    '<!doctype html><script type="module" src="/page.js"></script>',
  );
  const { resolve } = createRequire(import.meta.url);
  const tfjs = join(dirname(resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist");
  for (const kind of ["", "-simd", "-threaded-simd"]) {
    const file = `tfjs-backend-wasm${kind}.wasm`;
    cpSync(join(tfjs, file), join(outDir, "wasm", file));
  }
}
