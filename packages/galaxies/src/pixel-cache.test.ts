import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readdir, readFile, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  jpeg,
  kaggleFiles,
  kaggleZips,
  TEST,
  TRAIN,
  temporaryFolder,
  writeFiles,
} from "../test/helpers.ts";
import { type Dataset, openDataset } from "./dataset.ts";
import { decode } from "./decode.ts";
import { imagesFingerprint } from "./fingerprint.ts";
import { buildPixelCache, findPixelCache, pixelCacheSize } from "./pixel-cache.ts";
import { openPixelCache } from "./pixel-file.ts";
import { shrink } from "./shrink.ts";

const SIZE = { width: 16, height: 16 };

async function dataset(): Promise<{ folder: string; data: Dataset; dir: string }> {
  const folder = await temporaryFolder();
  await writeFiles(join(folder, "data"), await kaggleFiles());
  return { folder, data: await openDataset(join(folder, "data")), dir: join(folder, "pixels") };
}

test("holds the decoded images, in the order of the ids", async () => {
  const { data, dir } = await dataset();
  for (const factor of [1, 2, 4]) {
    const progress: number[] = [];
    const options = { ...SIZE, shrink: factor, dir };
    const built = await buildPixelCache(data, "train", {
      ...options,
      onProgress: (done, total) => void progress.push(done / total),
    });
    const side = 16 / factor;
    expect(built).toMatchObject({ count: 4, height: side, width: side, built: true });
    expect(progress).toEqual([0.25, 0.5, 0.75, 1]);
    expect((await stat(built.file)).size).toBe(built.bytes);
    expect(pixelCacheSize(data, "train", options)).toBe(built.bytes);

    const cache = openPixelCache(built.file);
    expect(cache.ids).toEqual(TRAIN);
    const out = new Uint8Array(side * side * 3);
    for (const [i, id] of TRAIN.entries()) {
      const expected = shrink(await decode(await jpeg(id), SIZE), factor);
      const image = cache.read(i);
      expect(image.shape).toEqual([side, side, 3]);
      expect(image.data).toEqual(expected.data);
      expect(cache.read(i, out).data).toBe(out);
      expect(out).toEqual(expected.data);
    }
    cache.close();
  }
});

test("one record per test image too, from zips too, in the user's cache folder by default", async () => {
  const folder = await temporaryFolder();
  await writeFiles(join(folder, "zips"), await kaggleZips());
  const data = await openDataset(join(folder, "zips"));
  const { file } = await buildPixelCache(data, "test", SIZE);
  expect(file.startsWith(join(process.env.GZ_CACHE_DIR!, "pixels", "zips-test-16x16-"))).toBe(true);
  const cache = openPixelCache(file);
  expect(cache.ids).toEqual(TEST);
  expect(cache.read(2).data).toEqual((await decode(await jpeg(TEST[2]!), SIZE)).data);
  cache.close();
  await data.close();
});

test("is used again as it is, and built anew when it no longer belongs", async () => {
  const { folder, data, dir } = await dataset();
  const options = { ...SIZE, dir };
  const build = async (source: Dataset = data): Promise<boolean> => {
    const found = await findPixelCache(source, "train", options);
    const result = await buildPixelCache(source, "train", options);
    expect(found).toEqual(result.built ? undefined : result);
    return result.built;
  };
  expect(await findPixelCache(data, "train", options)).toBe(undefined);
  const { file } = await buildPixelCache(data, "train", options);
  expect(await findPixelCache(data, "train", { ...options, shrink: 2 })).toBe(undefined);
  const bytes = await readFile(file);
  const { mtimeMs } = await stat(file);
  expect(await build()).toBe(false);
  expect((await stat(file)).mtimeMs).toBe(mtimeMs);

  // cut short, of another version, not a cache at all
  await truncate(file, bytes.length - 1);
  expect(() => openPixelCache(file)).toThrow(
    `openPixelCache: expected ${bytes.length} bytes in ${file} but it is cut short at ${bytes.length - 1}`,
  );
  expect(await build()).toBe(true);
  await writeFile(
    file,
    Buffer.from(bytes.toString("latin1").replace('"version":1', '"version":2'), "latin1"),
  );
  expect(() => openPixelCache(file)).toThrow(
    `openPixelCache: expected format version 1 in ${file} but got 2`,
  );
  expect(await build()).toBe(true);
  await writeFile(file, "GalaxyID,Class1.1");
  expect(() => openPixelCache(file)).toThrow(
    `openPixelCache: expected a pixel cache in ${file} but it is another file`,
  );
  expect(await build()).toBe(true);
  expect(await readFile(file)).toEqual(bytes);

  // one image with other pixels, of another time
  const image = join(folder, "data/images_training_rev1/100053.jpg");
  await writeFile(image, await jpeg(1));
  expect(await build()).toBe(true);
  expect(openPixelCache(file).read(2).data).toEqual((await decode(await jpeg(1), SIZE)).data);
  await utimes(image, 1e9, 1e9);
  expect(await build()).toBe(true);
  expect(await build()).toBe(false);
});

test("part of a data set, or another order, has a file of its own beside the whole's", async () => {
  const { folder, data, dir } = await dataset();
  const options = { ...SIZE, dir };
  const whole = await buildPixelCache(data, "train", options);
  const description = data.describe();
  const half = await openDataset({ ...description, trainIds: TRAIN.slice(2) });
  const part = await buildPixelCache(half, "train", options);
  expect(part.built).toBe(true);
  const labels = join(folder, "data/training_solutions_rev1.csv");
  const [header, first, second, ...rest] = (await readFile(labels, "utf8")).split("\n");
  await writeFile(labels, [header, second, first, ...rest].join("\n"));
  const reordered = await openDataset(join(folder, "data"));
  const other = await buildPixelCache(reordered, "train", options);
  expect(openPixelCache(whole.file).ids).toEqual(TRAIN);
  expect(openPixelCache(part.file).ids).toEqual(TRAIN.slice(2));
  expect(openPixelCache(other.file).ids).toEqual([TRAIN[1], TRAIN[0], TRAIN[2], TRAIN[3]]);
  expect(await readdir(dir)).toHaveLength(3);
});

test("a cache is opened by its fingerprint, or refused when it was built anew of changed images", async () => {
  const { folder, data, dir } = await dataset();
  const { file, fingerprint } = await buildPixelCache(data, "train", { ...SIZE, dir });
  expect(fingerprint).toBe(await imagesFingerprint(data, "train"));
  openPixelCache(file, { fingerprint })[Symbol.dispose]();
  await writeFile(join(folder, "data/images_training_rev1/100008.jpg"), await jpeg(250));
  const anew = await buildPixelCache(data, "train", { ...SIZE, dir });
  expect(anew).toMatchObject({ file, built: true });
  expect(() => openPixelCache(file, { fingerprint })).toThrow(
    `openPixelCache: expected fingerprint ${fingerprint} in ${file} but got ${anew.fingerprint}: it was built of other images`,
  );
  const cache = openPixelCache(file, { fingerprint: anew.fingerprint });
  cache[Symbol.dispose]();
  expect(() => cache.read(0)).toThrow(`read: expected an open file but ${file} is closed`);
});

test("readers go on while the file is built anew", async () => {
  const { folder, data, dir } = await dataset();
  const { file } = await buildPixelCache(data, "train", { ...SIZE, dir });
  const reader = openPixelCache(file);
  const before = reader.read(0).data;
  await writeFile(join(folder, "data/images_training_rev1/100008.jpg"), await jpeg(250));
  expect((await buildPixelCache(data, "train", { ...SIZE, dir })).built).toBe(true);
  expect(reader.read(0).data).toEqual(before);
  expect(openPixelCache(file).read(0).data).not.toEqual(before);
});

test("builds at the same time do not disturb each other", async () => {
  const { data, dir } = await dataset();
  const builds = await Promise.all(
    [1, 2, 3].map(() => buildPixelCache(data, "train", { ...SIZE, dir })),
  );
  expect(new Set(builds.map(({ file }) => file)).size).toBe(1);
  expect(await readdir(dir)).toHaveLength(1);
  expect(openPixelCache(builds[0]!.file).read(3).data).toEqual(
    (await decode(await jpeg(TRAIN[3]!), SIZE)).data,
  );
});

test("an image that cannot be decoded stops the build, named with its row, and nothing is left", async () => {
  const { folder, data, dir } = await dataset();
  const image = join(folder, "data/images_training_rev1/100053.jpg");
  await writeFile(image, (await jpeg(1)).subarray(0, -30));
  await expect(buildPixelCache(data, "train", { ...SIZE, dir })).rejects.toThrow(
    `decode: expected an image that can be decoded for ${image} (row 4 of training_solutions_rev1.csv) but got `,
  );
  expect(await readdir(dir)).toEqual([]);
  await expect(buildPixelCache(data, "test", { dir })).rejects.toThrow(
    `decode: expected 424 x 424 pixels for ${folder}/data/images_test_rev1/`,
  );
  expect(await readdir(dir)).toEqual([]);
});

test("a signal stops the build, and nothing is left", async () => {
  const { data, dir } = await dataset();
  const stop = new AbortController();
  const onProgress = (): void => stop.abort(new Error("Ctrl-C"));
  await expect(
    buildPixelCache(data, "train", { ...SIZE, dir, onProgress, signal: stop.signal }),
  ).rejects.toThrow("Ctrl-C");
  expect(await readdir(dir)).toEqual([]);
});

test("room is asked for beforehand", async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, await kaggleFiles());
  const data = await openDataset(folder);
  // four images of 12 TB each
  const huge = { width: 2e6, height: 2e6, dir: join(folder, "pixels") };
  expect(pixelCacheSize(data, "train", huge)).toBe(4 * 12e12 + 8192);
  await expect(buildPixelCache(data, "train", huge)).rejects.toThrow(
    /^buildPixelCache: cannot write .+: it takes 48,000,001 MB but only [\d,]+ MB are free on this disk$/,
  );
  expect(await readdir(huge.dir)).toEqual([]);
});

// A limit on the size of files stands in for a full disk: the write fails half-way, for real.
const prlimit = ["/usr/bin/prlimit", "/bin/prlimit"].find(existsSync);
test.skipIf(!prlimit)("a disk that fills up leaves nothing", async () => {
  const { data, dir } = await dataset();
  const limit = (size: string): Buffer =>
    execFileSync(prlimit!, ["--pid", String(process.pid), `--fsize=${size}:`]);
  limit("9000");
  try {
    await expect(buildPixelCache(data, "train", { ...SIZE, dir })).rejects.toThrow(
      /^buildPixelCache: cannot write .+: the file would be larger than this process may write \(EFBIG\)$/,
    );
  } finally {
    limit("unlimited");
  }
  expect(await readdir(dir)).toEqual([]);
});

test("wrong arguments are refused", async () => {
  const { data, dir } = await dataset();
  await expect(buildPixelCache(data, "train", { shrink: 3, dir })).rejects.toThrow(
    "buildPixelCache: expected a whole factor that divides 424 and 424 for shrink but got 3",
  );
  await expect(findPixelCache(data, "train", { shrink: 3, dir })).rejects.toThrow(
    "findPixelCache: expected a whole factor",
  );
  expect(() => pixelCacheSize(data, "train", { width: -424, height: 424 })).toThrow(
    "pixelCacheSize: expected a positive integer for width but got -424",
  );
  const training = "training" as "train";
  const wrong = 'expected "train" or "test" for split but got "training"';
  expect(() => pixelCacheSize(data, training)).toThrow(`pixelCacheSize: ${wrong}`);
  await expect(buildPixelCache(data, training, { dir })).rejects.toThrow(
    `buildPixelCache: ${wrong}`,
  );
  await expect(imagesFingerprint(data, training)).rejects.toThrow(`imagesFingerprint: ${wrong}`);
  const untested = await openDataset({ ...data.describe(), testIds: [], test: undefined });
  const none = `expected test images in ${data.path} but there are none`;
  await expect(buildPixelCache(untested, "test", { dir })).rejects.toThrow(
    `buildPixelCache: ${none}`,
  );
  await expect(imagesFingerprint(untested, "test")).rejects.toThrow(`imagesFingerprint: ${none}`);
  const { file } = await buildPixelCache(data, "train", { ...SIZE, dir });
  const cache = openPixelCache(file);
  for (const index of [-1, 4, 0.5])
    expect(() => cache.read(index)).toThrow(
      `read: expected an index from 0 to 3 for ${file} but got ${index}`,
    );
  expect(() => cache.read(0, new Uint8Array(5))).toThrow(
    "read: expected a Uint8Array of 768 bytes for out but got a Uint8Array of 5 bytes",
  );
  expect(() => cache.read(0, new Float32Array(768) as unknown as Uint8Array)).toThrow(
    "read: expected a Uint8Array of 768 bytes for out but got a Float32Array of 3072 bytes",
  );
  const handle = await open(file, "r+");
  await handle.truncate(5000); // behind the reader's back
  await handle.close();
  expect(() => cache.read(3)).toThrow(`read: expected more bytes in ${file} but it is cut short`);
  cache.close();
  cache.close();
  expect(() => cache.read(0)).toThrow(`read: expected an open file but ${file} is closed`);
  expect(() => openPixelCache(join(dir, "none"))).toThrow(
    `openPixelCache: cannot open ${join(dir, "none")}: there is no such file or folder (ENOENT)`,
  );
});

test("a cache of images brought to size is not that of images as they are", async () => {
  const { data, dir } = await dataset();
  const covered = await openDataset(data.path, { fit: "cover" });
  const built = await buildPixelCache(data, "train", { ...SIZE, dir });
  const same = await buildPixelCache(covered, "train", { ...SIZE, dir });
  expect(same).toMatchObject({ file: built.file, built: true });
  expect(same.fingerprint).not.toBe(built.fingerprint);
  expect(await findPixelCache(data, "train", { ...SIZE, dir })).toBeUndefined();
});
