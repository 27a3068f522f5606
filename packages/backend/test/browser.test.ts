// The wasm kernels in a real browser, bundled from source as an application would.
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, defaultClientConditions, preview } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";

const timeout = 120_000;
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
// CI has Chromium: there it must not be skipped.
const skipped = !executablePath && !process.env.CI;
if (skipped) console.log("wasm in a browser: skipped without Chromium; apt-get install chromium");

const root = mkdtempSync(path.join(tmpdir(), "gz-browser-"));
const outDir = path.join(root, "site");
afterAll(() => rmSync(root, { recursive: true }));

beforeAll(async () => {
  if (skipped) return;
  const entry = fileURLToPath(new URL("browser/page.js", import.meta.url));
  await build({
    configFile: false,
    logLevel: "error",
    root: path.dirname(entry),
    resolve: { conditions: ["@gz/source", ...defaultClientConditions] },
    build: { outDir, minify: false, lib: { entry, formats: ["es"], fileName: "page" } },
  });
  writeFileSync(
    path.join(outDir, "index.html"),
    '<!doctype html><script type="module" src="/page.js"></script>',
  );
  const tfjs = path.dirname(
    createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json"),
  );
  for (const build of ["", "-simd", "-threaded-simd"]) {
    const file = `tfjs-backend-wasm${build}.wasm`;
    cpSync(path.join(tfjs, "dist", file), path.join(outDir, "wasm", file));
  }
}, timeout);

const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

test.skipIf(skipped)(
  "trains in a page, with threads if it is isolated, to the same bytes",
  {
    timeout,
  },
  async () => {
    const threaded = await trainIn(isolated);
    expect(threaded).toMatchObject({
      threads: 2,
      device: "WebAssembly SIMD",
      processors: availableParallelism(),
    });
    const [first, second, third] = threaded.losses;
    expect(second).toBeLessThan(first);
    expect(third).toBeLessThan(second);
    const alone = await trainIn({});
    expect(alone).toMatchObject({
      threads: 1,
      device: "WebAssembly SIMD without threads (the page is not isolated)",
    });
    expect(alone.losses).toEqual(threaded.losses);
  },
);

/** Serves the page with these headers, opens it, and gives what it has to say. */
async function trainIn(headers: Record<string, string>) {
  const server = await preview({
    configFile: false,
    root,
    build: { outDir: "site" },
    preview: { port: 0, headers },
  });
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ["--no-sandbox"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(server.resolvedUrls!.local[0]);
    await page.waitForFunction(() => document.title.startsWith("{"), null, { timeout });
    const { error, ...outcome } = JSON.parse(await page.title());
    expect(error).toBeUndefined();
    return outcome;
  } finally {
    await browser.close();
    await server.close();
  }
}
