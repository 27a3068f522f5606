import { existsSync } from "node:fs";
import { join } from "node:path";
import { addonRecipe, cachedAddons, compileAddons, findCompiler, installAddons } from "./addon.ts";
import { cacheFolder, sha256 } from "./cache.ts";
import { type Manifest, OPERATIONS } from "./manifest.ts";
import { TENSORFLOW_VERSION, targetFor, thisHost } from "./target.ts";
import { fetchedLibrary, fetchLibrary, findPip } from "./tensorflow.ts";
import { ADDON, addonFolder, findTfjsNode, readManifest, TFJS_NODE } from "./tfjs-node.ts";

/** What `buildNative` is to build, and whom it tells. */
export interface BuildOptions {
  /** Link against TensorFlow's CUDA build. */
  cuda?: boolean;
  /** Fetch and compile again, whatever is there. */
  force?: boolean;
  /** Called with each line of progress. */
  say: (line: string) => void;
  /** Stops the build; what was begun is removed. */
  signal: AbortSignal;
}

/** Builds tfjs-node's addon against today's TensorFlow and installs it; fast when it is there already. */
export async function buildNative({
  cuda = false,
  force = false,
  say,
  signal,
}: BuildOptions): Promise<Manifest> {
  const target = targetFor(thisHost(), cuda);
  const packageFolder = findTfjsNode();
  if (!packageFolder)
    throw new Error(
      `native: expected the npm package ${TFJS_NODE} but it is not installed; run: npm install --ignore-scripts ${TFJS_NODE}@4.22.0`,
    );
  const cache = cacheFolder();
  const device = cuda ? "cuda" : "cpu";
  let library = force ? undefined : await fetchedLibrary(cache, target);
  if (library && !(await matches(library.checksums))) library = undefined;
  let recipe = library && (await addonRecipe(packageFolder, library));
  const installed = readManifest(packageFolder);
  if (recipe && installed?.key === recipe.key) {
    if (await matches(within(addonFolder(packageFolder), installed.addons))) {
      say(`already built: ${describe(installed)}`);
      return installed;
    }
  }
  if (!target.tested)
    say("these steps have not been run on this kind of machine; please report how they went");

  const cached = recipe && existsSync(cachedAddons(cache, recipe));
  const python = library ? undefined : await findPip();
  const compiler = cached ? undefined : await findCompiler();
  const missing: string[] = [];
  if (!library && !python) missing.push(`Python 3 with pip: ${howToGet("python")}`);
  if (!cached && !compiler) missing.push(`a C++ compiler: ${howToGet("compiler")}`);
  if (missing.length > 0)
    throw new Error(`native: not found on this machine:\n  ${missing.join("\n  ")}`);

  library ??= await fetchLibrary(cache, target, python!, { say, signal });
  recipe ??= await addonRecipe(packageFolder, library);
  if (compiler) await compileAddons(cache, recipe, compiler, { say, signal });
  const built = cachedAddons(cache, recipe);
  const addons: Record<string, string> = {};
  for (const name of Object.keys(recipe.args)) addons[name] = await sha256(join(built, name));
  const manifest: Manifest = {
    format: 2,
    tensorflow: TENSORFLOW_VERSION,
    device,
    key: recipe.key,
    addons,
    libraries: library.checksums,
    operations: OPERATIONS,
  };
  await installAddons(built, packageFolder, manifest);
  say(`built: ${describe(manifest)}`);
  say(`  addon   ${join(addonFolder(packageFolder), ADDON)}`);
  say(`  sha256  ${addons[ADDON]}`);
  say(`  library ${library.folder}`);
  return manifest;
}

const describe = ({ tensorflow, device }: Manifest): string =>
  `TensorFlow ${tensorflow} for ${device === "cuda" ? "CUDA" : "CPU"}`;

function howToGet(what: "python" | "compiler"): string {
  const mac = process.platform === "darwin";
  if (what === "compiler")
    return `run ${mac ? "xcode-select --install" : "sudo apt-get install g++"} (or set CXX)`;
  return `run ${mac ? "brew install python" : "sudo apt-get install python3-pip"} (or set PYTHON to one that has pip)`;
}

const within = (folder: string, checksums: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(checksums).map(([name, sum]) => [join(folder, name), sum]));

/** Whether every file is there with its SHA-256. */
async function matches(checksums: Record<string, string>): Promise<boolean> {
  for (const [file, sum] of Object.entries(checksums))
    if (!existsSync(file) || (await sha256(file)) !== sum) return false;
  return true;
}
