import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle, launchChromium, withoutChromium } from "./chromium.ts";
import { readmeExample } from "./readme.ts";

// What a user gets: every package as its tarball, installed with its declared dependencies into an
// empty project outside the repository. Two projects, so that what should not need TensorFlow.js
// is seen without it.
const FLAVOURS = [
  { needs: "no TensorFlow.js", names: ["augment", "views", "ensemble", "galaxies"] },
  { needs: "TensorFlow.js", names: ["layers", "train", "backend"] },
];
const BROWSER = ["augment", "views", "ensemble"];

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
const all = readdirSync(join(root, "packages")).sort();
let tarballs = "";
let packed: Packed[] = [];

beforeAll(async () => {
  for (const name of all)
    if (!existsSync(join(root, "packages", name, "dist", "index.js")))
      throw new Error(`packages/${name} is not built: run npm run build first`);
  tarballs = await mkdtemp(join(tmpdir(), "gz-tarballs-"));
  const folders = all.map((name) => `./packages/${name}`);
  packed = JSON.parse(
    await run(root, "npm", "pack", "--json", "--pack-destination", tarballs, ...folders),
  );
}, 120_000);
afterAll(() => rm(tarballs, { recursive: true, force: true }));

test("every package is installed by one of the projects below", () => {
  expect(FLAVOURS.flatMap(({ names }) => names).sort()).toEqual(all);
});

test.each(all)("@gz/%s packs its build, sources, README and licence, and no test", (name) => {
  const paths = packed.find((one) => one.name === `@gz/${name}`)!.files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "dist/index.d.ts",
      "dist/index.js",
      "src/index.ts",
    ]),
  );
  expect(paths.filter((path) => /\btest\b|fixtures|tsbuildinfo/.test(path))).toEqual([]);
});

describe.each(FLAVOURS)("in an empty project with $needs", ({ names }) => {
  let project = "";
  const printed = new Map<string, string>();

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), "gz-project-"));
    const dependencies = packed
      .filter((one) => names.some((name) => one.name === `@gz/${name}`))
      .map((one) => [one.name, `file:${join(tarballs, one.filename)}`]);
    const manifest = {
      private: true,
      type: "module",
      dependencies: Object.fromEntries(dependencies),
    };
    await writeFile(join(project, "package.json"), JSON.stringify(manifest));
    await run(
      project,
      "npm",
      "install",
      "--ignore-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
    );
  }, 300_000);
  afterAll(() => rm(project, { recursive: true, force: true }));

  test.each(names)(
    "the README's example of @gz/%s runs as pasted",
    async (name) => {
      const example = await readmeExample(
        new URL(`../packages/${name}/README.md`, import.meta.url),
      );
      await writeFile(join(project, `${name}.mjs`), example);
      printed.set(name, await run(project, process.execPath, `${name}.mjs`));
      expect(printed.get(name)).not.toBe("");
    },
    120_000,
  );

  test.skipIf(withoutChromium).each(names.filter((name) => BROWSER.includes(name)))(
    "and that of @gz/%s prints the same in Chromium",
    async (name) => {
      const script = await bundle(join(project, `${name}.mjs`), []);
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        let output = "";
        page.on("console", (message) => (output += `${message.text()}\n`));
        await page.addScriptTag({ content: script });
        expect(output).toBe(printed.get(name));
      } finally {
        await browser.close();
      }
    },
    120_000,
  );
});

/** What a command prints; if it fails, an error with all it said. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 1e8 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stdout}\n${stderr}`);
  }
}
