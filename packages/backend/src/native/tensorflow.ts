import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkSpace, putInPlace, sha256, withTemporary } from "./cache.ts";
import { firstThatRuns, run } from "./run.ts";
import { type Target, TENSORFLOW_VERSION } from "./target.ts";

/** TensorFlow's libraries and headers on this machine. */
export interface Library {
  /** The folder that holds the libraries and include/. */
  folder: string;
  /** Absolute path of each library, and its SHA-256 when it was fetched. */
  checksums: Record<string, string>;
}

/** How a long step tells of itself and is stopped. */
export interface Steps {
  say: (line: string) => void;
  signal: AbortSignal;
}

/** Folder of the cache that holds TensorFlow for `target`. */
function libraryFolder(cache: string, target: Target): string {
  const device = target.cuda ? "cuda" : "cpu";
  return join(
    cache,
    `tensorflow-${TENSORFLOW_VERSION}-${device}-${process.platform}-${process.arch}`,
  );
}

/** What an earlier run fetched, or undefined. */
export async function fetchedLibrary(cache: string, target: Target): Promise<Library | undefined> {
  const root = libraryFolder(cache, target);
  const folder = join(root, "tensorflow");
  let named: Record<string, string>;
  try {
    named = JSON.parse(await readFile(join(root, "checksums.json"), "utf8"));
  } catch {
    return undefined;
  }
  const checksums: Record<string, string> = {};
  for (const [name, sum] of Object.entries(named)) checksums[join(folder, name)] = sum;
  return { folder, checksums };
}

/** A Python that has pip, or undefined. */
export function findPip(): Promise<string | undefined> {
  return firstThatRuns("PYTHON", ["python3", "python"], ["-m", "pip", "--version"]);
}

/** Fetches TensorFlow by pip into the cache; appears there under its name only when complete. */
export async function fetchLibrary(
  cache: string,
  target: Target,
  python: string,
  { say, signal }: Steps,
): Promise<Library> {
  const root = libraryFolder(cache, target);
  await mkdir(cache, { recursive: true });
  await checkSpace(cache, target.bytes);
  await withTemporary(cache, async (temporary) => {
    const made = join(temporary, "made");
    const scratch = join(temporary, "pip");
    await mkdir(scratch);
    const options = [
      "--no-cache-dir",
      "--disable-pip-version-check",
      ...(await wheelOptions(python)),
    ];
    const pip = async (...args: string[]) => {
      const bar = process.stdout.isTTY ? [] : ["--quiet", "--progress-bar", "off"];
      const { code, stderr } = await run(python, ["-m", "pip", ...args, ...options, ...bar], {
        env: { ...process.env, TMPDIR: scratch },
        signal,
        show: true,
      });
      if (code !== 0) throw new Error(pipFailure(target.requirement, stderr));
    };
    if (target.keepAll) {
      say(`installing ${target.requirement} by pip (several GB)`);
      await pip("install", "--target", made, target.requirement);
    } else {
      const wheels = join(temporary, "wheel");
      say(`downloading ${target.requirement} by pip (about 270 MB)`);
      await pip("download", "--no-deps", "--dest", wheels, target.requirement);
      say("unpacking its libraries and headers (about 860 MB)");
      const unpacked = await run(python, ["-c", UNPACK, wheels, made], { signal });
      if (unpacked.code !== 0)
        throw new Error(
          `native: unpacking ${target.requirement} failed: ${unpacked.stderr.trim()}`,
        );
    }
    const checksums: Record<string, string> = {};
    for (const name of target.libraries) {
      signal.throwIfAborted();
      checksums[name] = await sha256(join(made, "tensorflow", name));
    }
    await writeFile(join(made, "checksums.json"), JSON.stringify(checksums, null, 2));
    await putInPlace(made, root);
  });
  return (await fetchedLibrary(cache, target))!;
}

// Only what the addon needs: 860 of the 1,270 MB of the wheel are its libraries.
const UNPACK = `
import glob, re, sys, zipfile
wheels, made = sys.argv[1:]
keep = re.compile(r"^tensorflow/(libtensorflow_(cc|framework)[^/]*$|include/(tensorflow/(c|core/platform|core/common_runtime/next_pluggable_device/c)|tsl/platform|xla/tsl)/)")
with zipfile.ZipFile(glob.glob(wheels + "/*.whl")[0]) as wheel:
    wheel.extractall(made, [name for name in wheel.namelist() if keep.match(name)])
`;

/** TensorFlow has wheels for Python 3.10 to 3.13; only its C library is used, so another Python may fetch 3.12's. */
async function wheelOptions(python: string): Promise<string[]> {
  const { stdout } = await run(python, ["-c", "import sys; print(sys.version_info[1])"]);
  const minor = Number(stdout);
  if (minor >= 10 && minor <= 13) return [];
  return ["--python-version", "3.12", "--only-binary", ":all:"];
}

function pipFailure(requirement: string, stderr: string): string {
  const lines = stderr.trim().split("\n").slice(-4).join("\n  ");
  return `native: pip could not fetch ${requirement}; is the network (or a proxy, PIP_INDEX_URL) set up? pip says:\n  ${lines}`;
}
