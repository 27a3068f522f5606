import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COLUMNS, KAGGLE_TREE } from "../tree.ts";
import { type SyntheticOptions, writeSynthetic } from "./dataset.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gz-synthetic-"));
  await writeSynthetic(join(root, "a"), { train: 6, test: 3, seed: 1 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function everything(dir: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    files[file.slice(dir.length + 1)] = (await readFile(file)).toString("base64");
  }
  return files;
}

test("the folders and files are those of Kaggle's download", async () => {
  const names = Object.keys(await everything(join(root, "a"))).sort();
  expect(names).toEqual([
    "images_test_rev1/100001.jpg",
    "images_test_rev1/100003.jpg",
    "images_test_rev1/100005.jpg",
    "images_training_rev1/100000.jpg",
    "images_training_rev1/100002.jpg",
    "images_training_rev1/100004.jpg",
    "images_training_rev1/100006.jpg",
    "images_training_rev1/100008.jpg",
    "images_training_rev1/100010.jpg",
    "training_solutions_rev1.csv",
  ]);
});

test("the same seed gives the same bytes in every file, another seed other ones", async () => {
  await writeSynthetic(join(root, "b"), { train: 6, test: 3, seed: 1 });
  expect(await everything(join(root, "b"))).toEqual(await everything(join(root, "a")));
  await writeSynthetic(join(root, "c"), { train: 6, test: 3, seed: 2 });
  const [a, c] = [await everything(join(root, "a")), await everything(join(root, "c"))];
  for (const name of Object.keys(a)) expect(c[name]).not.toBe(a[name]);
});

test("a larger set begins with the smaller one's galaxies", async () => {
  await writeSynthetic(join(root, "d"), { train: 2, test: 1, seed: 1 });
  const small = await everything(join(root, "d"));
  const large = await everything(join(root, "a"));
  for (const name of Object.keys(small).filter((n) => n.endsWith(".jpg")))
    expect(small[name]).toBe(large[name]);
});

test("the written labels have Kaggle's header and obey its tree to 1e-5", async () => {
  const text = await readFile(join(root, "a", "training_solutions_rev1.csv"), "utf8");
  const [header, ...rows] = text.trimEnd().split("\n");
  expect(header).toBe(["GalaxyID", ...COLUMNS].join(","));
  expect(rows).toHaveLength(6);
  for (const row of rows) {
    const values = new Map(
      row
        .split(",")
        .slice(1)
        .map((v, i) => [COLUMNS[i]!, Number(v)]),
    );
    for (const { answers, parents } of KAGGLE_TREE) {
      const sum = (names: readonly string[]): number =>
        names.reduce((s, name) => s + values.get(name)!, 0);
      expect(Math.abs(sum(answers) - (parents ? sum(parents) : 1))).toBeLessThan(1e-5);
    }
  }
});

test("progress counts every image once", async () => {
  const seen: number[] = [];
  await writeSynthetic(join(root, "e"), {
    train: 3,
    test: 2,
    seed: 3,
    size: 64,
    onProgress: ({ done, total }) => seen.push(done / total),
  });
  expect(seen).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
});

test("an aborted set has no label file", async () => {
  const stop = new AbortController();
  const dir = join(root, "f");
  const writing = writeSynthetic(dir, {
    train: 50,
    test: 0,
    seed: 3,
    size: 64,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error("enough")),
  });
  await expect(writing).rejects.toThrow("enough");
  expect(await readdir(dir)).not.toContain("training_solutions_rev1.csv");
});

test("a folder that holds a set already is refused, and left as it is", async () => {
  const before = await everything(join(root, "a"));
  await expect(writeSynthetic(join(root, "a"), { train: 1, test: 0, seed: 2 })).rejects.toThrow(
    `writeSynthetic: expected a folder without Galaxy Zoo data for ${join(root, "a")} but got one with images_test_rev1, images_training_rev1, training_solutions_rev1.csv`,
  );
  expect(await everything(join(root, "a"))).toEqual(before);
});

test.each([
  "training_solutions_rev1.csv",
  "labels.csv",
  "labels/labels.csv",
  "images/1.jpg",
  "images_test_rev1.zip",
  "galaxy-zoo-the-galaxy-challenge.zip",
])("a folder with somebody's %s is refused before anything is made in it", async (name) => {
  const dir = await mkdtemp(join(root, "theirs-"));
  await mkdir(dirname(join(dir, name)), { recursive: true });
  await writeFile(join(dir, name), "precious");
  await expect(writeSynthetic(dir, { train: 1, test: 1, seed: 2, size: 8 })).rejects.toThrow(
    `writeSynthetic: expected a folder without Galaxy Zoo data for ${dir} but got one with ${name.split("/")[0]}`,
  );
  expect(Object.keys(await everything(dir))).toEqual([name]);
  expect(await readFile(join(dir, name), "utf8")).toBe("precious");
});

test("other files and empty folders are no data set", async () => {
  const dir = await mkdtemp(join(root, "mine-"));
  await writeFile(join(dir, "notes.txt"), "");
  await mkdir(join(dir, "images_training_rev1"));
  await writeSynthetic(dir, { train: 1, test: 0, seed: 2, size: 8 });
  expect(Object.keys(await everything(dir))).toContain("training_solutions_rev1.csv");
});

test("a path that cannot be a folder is named", async () => {
  await writeFile(join(root, "file"), "");
  await expect(writeSynthetic(join(root, "file"), { train: 1, test: 0, seed: 2 })).rejects.toThrow(
    `writeSynthetic: cannot list ${join(root, "file")}: it is not a folder (ENOTDIR)`,
  );
});

test("a set without test galaxies has no test folder", async () => {
  await writeSynthetic(join(root, "h"), { train: 1, test: 0, seed: 2, size: 32 });
  expect((await readdir(join(root, "h"))).sort()).toEqual([
    "images_training_rev1",
    "training_solutions_rev1.csv",
  ]);
});

test.each([
  [{ train: -1, test: 0, seed: 1 }, "expected an integer >= 0 for train but got -1"],
  [{ train: 1, test: 0.5, seed: 1 }, "expected an integer >= 0 for test but got 0.5"],
  [{ train: 1, test: 0, seed: Number.NaN }, "expected a safe integer for seed but got NaN"],
  [{ train: 1, test: 0, seed: 1, size: 0 }, "expected a positive integer for size but got 0"],
  [undefined, "expected { train, test, seed } for options but got undefined"],
])("bad options are refused: %j", async (options, message) => {
  await expect(writeSynthetic(join(root, "g"), options as SyntheticOptions)).rejects.toThrow(
    `writeSynthetic: ${message}`,
  );
});
