import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withTemporary } from "./cache.ts";
import type { Manifest } from "./manifest.ts";
import { firstThatRuns, run } from "./run.ts";
import type { Library, Steps } from "./tensorflow.ts";
import { addonFiles } from "./tfjs-node.ts";

/** A C++ compiler, or undefined. */
export function findCompiler(): Promise<string | undefined> {
  return firstThatRuns([process.env.CXX, "g++", "c++", "clang++"], ["--version"]);
}

/** How the addon is made. */
export interface Recipe {
  /** The compiler's arguments, except the output file. */
  args: string[];
  /** Names all that goes into the addon, so that the cache never hands out a stale one. */
  key: string;
}

/** The addon of the tfjs-node in `packageFolder`, with our own operations, for `library`. */
export async function addonRecipe(packageFolder: string, library: Library): Promise<Recipe> {
  const binding = join(packageFolder, "binding");
  const ops = fileURLToPath(new URL("../../src/native/ops", import.meta.url));
  const names = (await readdir(binding)).sort().map((name) => join(binding, name));
  for (const name of (await readdir(ops)).sort()) names.push(join(ops, name));
  const flags = ["-O3", "-fno-trapping-math", "-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8"];
  const link = [`-Wl,-rpath,${library.folder}`];
  if (process.platform === "darwin") link.push("-Wl,-undefined,dynamic_lookup");
  const hash = createHash("sha256").update(JSON.stringify([flags, link, library.checksums]));
  for (const name of names) hash.update(await readFile(name));
  return {
    args: [
      ...flags,
      `-I${nodeHeaders()}`,
      `-I${join(library.folder, "include")}`,
      ...names.filter((name) => name.endsWith(".cc")),
      ...Object.keys(library.checksums),
      ...link,
    ],
    key: hash.digest("hex").slice(0, 16),
  };
}

/** Compiles the addon into the cache and returns its path there. */
export async function compileAddon(
  cache: string,
  { key, args }: Recipe,
  compiler: string,
  { say, signal }: Steps,
): Promise<string> {
  say(`compiling the addon with ${compiler} (about 10 s)`);
  const target = cachedAddon(cache, key);
  await withTemporary(cache, async (temporary) => {
    const made = join(temporary, "tfjs_binding.node");
    const linker = await fastLinker(compiler);
    const { code, stderr } = await run(compiler, [...linker, ...args, "-o", made], {
      env: { ...process.env, TMPDIR: temporary },
      signal,
    });
    if (code !== 0)
      throw new Error(
        `native: ${compiler} could not compile the addon (a compiler with C++17 is needed: g++ 9, clang 10 or newer). It says:\n  ${stderr.trim().split("\n").slice(0, 12).join("\n  ")}`,
      );
    await mkdir(dirname(target), { recursive: true });
    await rename(made, target);
  });
  return target;
}

/** GNU ld reads TensorFlow's symbols for 12 s, these others for less than 2. */
async function fastLinker(compiler: string): Promise<string[]> {
  for (const flag of ["-fuse-ld=lld", "-fuse-ld=gold"])
    if ((await run(compiler, [flag, "-Wl,--version"])).code === 0) return [flag];
  return [];
}

export function cachedAddon(cache: string, key: string): string {
  return join(cache, "addons", `${key}.node`);
}

/** Puts a built addon and its manifest where tfjs-node looks for them, each by one rename. */
export async function installAddon(
  built: string,
  packageFolder: string,
  manifest: Manifest,
): Promise<void> {
  const files = addonFiles(packageFolder);
  await mkdir(dirname(files.addon), { recursive: true });
  await withTemporary(dirname(files.addon), async (temporary) => {
    const copy = join(temporary, "addon");
    const text = join(temporary, "manifest");
    await copyFile(built, copy);
    await writeFile(text, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(copy, files.addon);
    await rename(text, files.manifest);
  });
}

/** Node's C headers: those of the running Node, else the ones on npm. */
function nodeHeaders(): string {
  const own = join(dirname(dirname(process.execPath)), "include", "node");
  if (existsSync(join(own, "node_api.h"))) return own;
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("node-api-headers/package.json")), "include");
}
