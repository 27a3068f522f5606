import { existsSync } from "node:fs";
import {
  addonKey,
  cachedAddon,
  compileAddon,
  compilerArguments,
  findCompiler,
  installAddon,
} from "./addon.ts";
import { cacheFolder, sha256 } from "./cache.ts";
import type { Manifest } from "./manifest.ts";
import { TENSORFLOW_VERSION, targetFor, thisHost } from "./target.ts";
import { fetchedLibrary, fetchLibrary, findPip, libraryFolder } from "./tensorflow.ts";
import { addonFiles, findTfjsNode, readManifest, TFJS_NODE } from "./tfjs-node.ts";

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
  const installed = readManifest(packageFolder);
  const device = cuda ? "cuda" : "cpu";
  if (!force && installed?.device === device && (await isIntact(packageFolder, installed))) {
    say(`already built: ${describe(installed)}`);
    return installed;
  }
  if (!target.tested)
    say("these steps have not been run on this kind of machine; please report how they went");

  const cache = cacheFolder();
  let library = force ? undefined : await fetchedLibrary(cache, target);
  if (library && !(await matches(library.checksums))) library = undefined;
  const python = library ? undefined : await findPip();
  const compiler = await findCompiler();
  const missing: string[] = [];
  if (!library && !python)
    missing.push(
      process.platform === "darwin"
        ? "Python 3 with pip: run xcode-select --install, or brew install python"
        : "Python 3 with pip: run sudo apt-get install python3-pip (or set PYTHON to a Python that has it)",
    );
  if (!compiler)
    missing.push(
      process.platform === "darwin"
        ? "a C++ compiler: run xcode-select --install"
        : "a C++ compiler: run sudo apt-get install g++ (or set CXX)",
    );
  if (missing.length > 0)
    throw new Error(`native: not found on this machine:\n  ${missing.join("\n  ")}`);

  library ??= await fetchLibrary(cache, target, python!, { say, signal });
  const args = compilerArguments(packageFolder, library.folder, target.libraries);
  const key = await addonKey(packageFolder, args, library.checksums);
  let built = cachedAddon(cache, key);
  if (force || !existsSync(built))
    built = await compileAddon(cache, key, compiler!, args, { say, signal });
  const manifest: Manifest = {
    format: 1,
    tensorflow: TENSORFLOW_VERSION,
    device,
    key,
    addon: await sha256(built),
    libraries: library.checksums,
    node: process.version,
    compiler: compiler!,
  };
  await installAddon(built, packageFolder, manifest);
  say(`built: ${describe(manifest)}`);
  say(`  addon   ${addonFiles(packageFolder).addon}`);
  say(`  sha256  ${manifest.addon}`);
  say(`  library ${libraryFolder(cache, target)}`);
  return manifest;
}

const describe = ({ tensorflow, device }: Manifest): string =>
  `TensorFlow ${tensorflow} for ${device === "cuda" ? "CUDA" : "CPU"}`;

/** Whether the installed addon and the libraries it is linked to are the files that were built. */
async function isIntact(packageFolder: string, manifest: Manifest): Promise<boolean> {
  return (
    manifest.tensorflow === TENSORFLOW_VERSION &&
    (await matches({ [addonFiles(packageFolder).addon]: manifest.addon, ...manifest.libraries }))
  );
}

async function matches(checksums: Record<string, string>): Promise<boolean> {
  for (const [file, sum] of Object.entries(checksums))
    if (!existsSync(file) || (await sha256(file)) !== sum) return false;
  return true;
}
