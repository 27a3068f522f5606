import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { putInPlace, withTemporary } from "./cache.ts";
import type { Manifest } from "./manifest.ts";
import { firstThatRuns, run } from "./run.ts";
import type { Library, Steps } from "./tensorflow.ts";
import { ADDON, addonFolder, MANIFEST, QUIET } from "./tfjs-node.ts";

/** A C++ compiler, or undefined. */
export function findCompiler(): Promise<string | undefined> {
  return firstThatRuns("CXX", ["g++", "c++", "clang++"], ["--version"]);
}

/** How the addons are made. */
export interface Recipe {
  /** Each addon's file name, and the compiler's arguments except the output file. */
  args: Record<string, string[]>;
  /** Names all that goes into them, so that the cache never hands out stale ones. */
  key: string;
}

/** The addon of the tfjs-node in `packageFolder` with our own operations, for `library`, and the one that keeps its loading quiet. */
export async function addonRecipe(packageFolder: string, library: Library): Promise<Recipe> {
  const binding = join(packageFolder, "binding");
  const own = fileURLToPath(new URL("../../src/native/cc", import.meta.url));
  // No contraction: products and sums round alike with AVX2 and without.
  const exact = ["-fno-trapping-math", "-ffp-contract=off"];
  const flags = ["-O3", ...exact, "-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8"];
  if (process.platform === "darwin") flags.push("-Wl,-undefined,dynamic_lookup");
  const rpath = `-Wl,-rpath,${library.folder}`;
  const hash = createHash("sha256").update(JSON.stringify([flags, rpath, library.checksums]));
  for (const folder of [binding, own])
    for (const name of (await readdir(folder)).sort())
      hash.update(await readFile(join(folder, name)));
  const common = [...flags, `-I${nodeHeaders()}`];
  return {
    args: {
      [ADDON]: [
        ...common,
        `-I${join(library.folder, "include")}`,
        join(binding, "tfjs_backend.cc"),
        join(binding, "tfjs_binding.cc"),
        ...["kernel.cc", "adamw.cc", "batch_norm.cc", "max_pool_grad.cc"].map((name) =>
          join(own, name),
        ),
        ...Object.keys(library.checksums),
        rpath,
      ],
      [QUIET]: [...common, join(own, "quiet.cc")],
    },
    key: hash.digest("hex").slice(0, 16),
  };
}

/** The cache's folder for the addons of a recipe. */
export function cachedAddons(cache: string, { key }: Recipe): string {
  return join(cache, "addons", key);
}

/** Compiles the addons into the cache. */
export async function compileAddons(
  cache: string,
  recipe: Recipe,
  compiler: string,
  { say, signal }: Steps,
): Promise<void> {
  say(`compiling the addon with ${compiler} (about 10 s)`);
  await withTemporary(cache, async (temporary) => {
    const made = join(temporary, "made");
    await mkdir(made);
    const linker = await fastLinker(compiler);
    for (const [name, args] of Object.entries(recipe.args)) {
      const { code, stderr } = await run(compiler, [...linker, ...args, "-o", join(made, name)], {
        env: { ...process.env, TMPDIR: temporary },
        signal,
      });
      if (code !== 0)
        throw new Error(
          `native: ${compiler} could not compile the addon (a compiler with C++17 is needed: g++ 9, clang 10 or newer). It says:\n  ${stderr.trim().split("\n").slice(0, 12).join("\n  ")}`,
        );
    }
    const target = cachedAddons(cache, recipe);
    await mkdir(dirname(target), { recursive: true });
    await putInPlace(made, target);
  });
}

/** GNU ld reads TensorFlow's symbols for 12 s, these others for less than 2. */
async function fastLinker(compiler: string): Promise<string[]> {
  for (const flag of ["-fuse-ld=lld", "-fuse-ld=gold"])
    if ((await run(compiler, [flag, "-Wl,--version"])).code === 0) return [flag];
  return [];
}

/** Puts built addons and their manifest where tfjs-node looks for its own, each by one rename. */
export async function installAddons(
  built: string,
  packageFolder: string,
  manifest: Manifest,
): Promise<void> {
  const folder = addonFolder(packageFolder);
  await mkdir(folder, { recursive: true });
  await withTemporary(folder, async (temporary) => {
    const names = Object.keys(manifest.addons);
    for (const name of names) await copyFile(join(built, name), join(temporary, name));
    await writeFile(join(temporary, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    for (const name of [...names, MANIFEST])
      await rename(join(temporary, name), join(folder, name));
  });
}

/** Node's C headers: those of the running Node, else the ones on npm. */
function nodeHeaders(): string {
  const own = join(dirname(dirname(process.execPath)), "include", "node");
  if (existsSync(join(own, "node_api.h"))) return own;
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("node-api-headers/package.json")), "include");
}
