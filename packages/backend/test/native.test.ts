// The command as a user runs it, on the built package (`npm test` builds first): real processes with a PATH, a cache and a
// project of their own.
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findTfjsNode, readManifest, TFJS_NODE } from "../src/native/tfjs-node.ts";
import { hasNative } from "./has-native.ts";

const home = fs.mkdtempSync(join(tmpdir(), "gz-native-test-"));
const dist = new URL("../dist", import.meta.url).pathname;
const tfjsNode = findTfjsNode()!;

afterAll(() => fs.rmSync(home, { recursive: true }));

/** A folder of programs for PATH: links to the machine's own, or scripts. */
function programs(name: string, scripts: Record<string, string | undefined>): string {
  const folder = join(home, name);
  fs.mkdirSync(folder);
  for (const [program, script] of Object.entries(scripts)) {
    const file = join(folder, program);
    if (script !== undefined) fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    else fs.symlinkSync(execFileSync("which", [program], { encoding: "utf8" }).trim(), file);
  }
  return folder;
}

/** A project with an addon-less tfjs-node, as npm ci leaves it. */
function project(name: string): string {
  const folder = join(home, name);
  const copy = join(folder, "node_modules", TFJS_NODE);
  fs.cpSync(join(tfjsNode, "binding"), join(copy, "binding"), { recursive: true });
  fs.copyFileSync(join(tfjsNode, "package.json"), join(copy, "package.json"));
  return folder;
}

interface Run {
  args?: string[];
  cli?: string;
  cwd?: string;
  env?: Record<string, string>;
  onStart?: (kill: () => void) => void;
}

function native({ args = ["native"], cli = dist, cwd = home, env = {}, onStart }: Run) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(PIP_|CXX$|PYTHON)/.test(name),
  );
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [join(cli, "cli.js"), ...args], {
      cwd,
      env: { ...Object.fromEntries(inherited), ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data) => (stdout += data));
    child.stderr.on("data", (data) => (stderr += data));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    onStart?.(() => child.kill("SIGINT"));
  });
}

test("explains itself", async () => {
  const help = await native({ args: ["--help"] });
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("gz-backend native [--cuda] [--force]");
  const wrong = await native({ args: ["nativ"] });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("gz-backend: expected the command native but got nativ\n");
  const option = await native({ args: ["native", "--gpu"] });
  expect(option.code).toBe(2);
  expect(option.stderr).toContain("gz-backend: Unknown option '--gpu'");
});

test("without tfjs-node-gpu gives the npm command", async () => {
  const alone = join(home, "alone");
  fs.cpSync(dist, join(alone, "dist"), { recursive: true });
  fs.writeFileSync(join(alone, "package.json"), '{ "type": "module" }');
  const { code, stderr } = await native({ cli: join(alone, "dist"), cwd: alone });
  expect(code).toBe(1);
  expect(stderr).toBe(
    "native: expected the npm package @tensorflow/tfjs-node-gpu but it is not installed; run: npm install --ignore-scripts @tensorflow/tfjs-node-gpu@4.22.0\n",
  );
});

test("without Python and compiler names both, with the commands that get them", async () => {
  const cache = join(home, "cache-nothing");
  const { code, stderr } = await native({
    cwd: project("nothing"),
    env: { PATH: programs("bin-nothing", {}), GZ_CACHE_DIR: cache },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^native: not found on this machine:\n {2}Python 3 with pip: run .+\n {2}a C\+\+ compiler: run .+\n$/,
  );
  expect(fs.existsSync(cache)).toBe(false);
});

test("a Python without pip counts as missing", async () => {
  const PATH = programs("bin-no-pip", {
    python3: "echo No module named pip >&2; exit 1",
    "g++": "exit 0",
  });
  const { stderr } = await native({
    cwd: project("no-pip"),
    env: { PATH, GZ_CACHE_DIR: join(home, "c") },
  });
  expect(stderr).toMatch(/^native: not found on this machine:\n {2}Python 3 with pip: run .+\n$/);
});

test("without network gives pip's own words and leaves nothing behind", async () => {
  const cache = join(home, "cache-offline");
  const nowhere = {
    PIP_INDEX_URL: "http://127.0.0.1:9/simple",
    PIP_CONFIG_FILE: "/dev/null",
    PIP_RETRIES: "0",
    GZ_CACHE_DIR: cache,
  };
  const { code, stderr } = await native({ cwd: project("offline"), env: nowhere });
  expect(code).toBe(1);
  expect(stderr).toContain("native: pip could not fetch tensorflow");
  expect(stderr).toContain("is the network (or a proxy, PIP_INDEX_URL) set up? pip says:\n");
  expect(stderr).toMatch(/No matching distribution|Could not find a version|Connection refused/);
  expect(fs.readdirSync(cache)).toEqual([]);
});

test("stopped by Ctrl-C ends pip and leaves nothing behind", async () => {
  const cache = join(home, "cache-stopped");
  const begun = join(home, "begun");
  const python3 = `case "$*" in *download*) echo $$ > ${begun}; exec sleep 60;; *version_info*) echo 11;; esac`;
  const PATH = `${programs("bin-slow", { python3, "g++": "exit 0" })}:/usr/bin:/bin`;
  const { code, stderr } = await native({
    cwd: project("stopped"),
    env: { PATH, GZ_CACHE_DIR: cache },
    onStart(kill) {
      const timer = setInterval(() => {
        if (!fs.existsSync(begun) || fs.readFileSync(begun, "utf8") === "") return;
        clearInterval(timer);
        kill();
      }, 20);
    },
  });
  expect({ code, stderr }).toEqual({ code: 130, stderr: "native: stopped; nothing was changed\n" });
  expect(fs.readdirSync(cache)).toEqual([]);
  expect(() => process.kill(Number(fs.readFileSync(begun, "utf8")), 0)).toThrow("ESRCH");
});

// Linking takes 2 to 12 s of processor time.
describe.skipIf(!hasNative)("with TensorFlow fetched", { timeout: 180_000 }, () => {
  /** A cache that has TensorFlow (by a link to the user's) but no addon. */
  function cacheWithTensorflow(name: string): string {
    const cache = join(home, name);
    const library = Object.keys(readManifest(tfjsNode)!.libraries)[0]!;
    const root = dirname(dirname(library));
    fs.mkdirSync(cache);
    fs.symlinkSync(root, join(cache, basename(root)));
    return cache;
  }

  test("a compiler that fails is quoted, and nothing is left behind", async () => {
    const cache = cacheWithTensorflow("cache-broken-compiler");
    const gxx =
      'case "$*" in --version) exit 0;; esac; echo "internal compiler error: Killed" >&2; exit 1';
    const PATH = programs("bin-broken", { "g++": gxx });
    const cwd = project("broken-compiler");
    const { code, stderr } = await native({ cwd, env: { PATH, GZ_CACHE_DIR: cache } });
    expect(code).toBe(1);
    expect(stderr).toContain("native: g++ could not compile the addon");
    expect(stderr).toContain("internal compiler error: Killed");
    expect(fs.readdirSync(cache).filter((name) => name.startsWith("tmp-"))).toEqual([]);
    expect(fs.existsSync(join(cwd, "node_modules", TFJS_NODE, "lib"))).toBe(false);
  });

  test("builds once, checks what is there, and repairs without compiling", {
    timeout: 180_000,
  }, async () => {
    const cwd = project("build");
    const env = { GZ_CACHE_DIR: cacheWithTensorflow("cache-build") };
    const first = await native({ cwd, env });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(
      /^compiling the addon with .*\nbuilt: TensorFlow 2\.21\.0 for CPU\n/,
    );
    const lib = join(cwd, "node_modules", TFJS_NODE, "lib");
    expect(fs.readdirSync(join(lib, "napi-v8")).sort()).toEqual([
      "gz-native.json",
      "gz_quiet.node",
      "tfjs_binding.node",
    ]);

    // From here on there is no compiler and no Python.
    const bare = { ...env, PATH: programs("bin-bare", {}) };
    const second = await native({ cwd, env: bare });
    expect(second).toMatchObject({ code: 0, stdout: "already built: TensorFlow 2.21.0 for CPU\n" });

    fs.rmSync(lib, { recursive: true }); // as npm ci does
    const third = await native({ cwd, env: bare });
    expect(third.stdout).toMatch(/^built: /);

    fs.appendFileSync(join(lib, "napi-v8", "tfjs_binding.node"), "damaged");
    const fourth = await native({ cwd, env: bare });
    expect(fourth.stdout).toMatch(/^built: /);
    expect((await native({ cwd, env: bare })).stdout).toMatch(/^already built: /);
  });
});
