import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  dataFiles,
  type Files,
  jpeg,
  kaggleFiles,
  kaggleZips,
  labelsCsv,
  only,
  TEST,
  TRAIN,
  temporaryFolder,
  votes,
  writeFiles,
  zip,
} from "../test/helpers.ts";
import { checkDataset } from "./check.ts";
import { type Dataset, openDataset } from "./dataset.ts";
import { decode } from "./decode.ts";
import type { QuestionTree } from "./tree.ts";

const WHOLE = "galaxy-zoo-the-galaxy-challenge.zip";

async function expectWhole(path: string): Promise<Dataset> {
  const dataset = await openDataset(path);
  expect(dataset.trainIds).toEqual(TRAIN);
  expect(dataset.testIds).toEqual(TEST);
  expect(dataset.labels).toEqual(Float32Array.from(TRAIN.flatMap((_, i) => votes((i + 1) / 8))));
  // again by its description, as a worker thread gets it, and in no order
  const again = await openDataset(structuredClone(dataset.describe()));
  expect(again.labels).toBeUndefined();
  for (const opened of [dataset, again]) {
    const all = [...TRAIN.map((id) => [id, "train"]), ...TEST.map((id) => [id, "test"])].reverse();
    await Promise.all(
      (all as [number, "train" | "test"][]).map(async ([id, split]) =>
        expect(await opened.read(id, split)).toEqual(await jpeg(id)),
      ),
    );
  }
  await again.close();
  await dataset.close();
  await dataset.close();
  return dataset;
}

async function folderWith(files: Files): Promise<string> {
  const folder = join(await temporaryFolder(), "data");
  await writeFiles(folder, files);
  return folder;
}

test.each([
  ["Kaggle's folders", "images_training_rev1", "training_solutions_rev1.csv", "images_test_rev1"],
  ["the winner's name", "images_train_rev1", "training_solutions_rev1.csv", "images_test_rev1"],
  ["the short names", "images", "labels.csv", "test"],
  [
    "folders as 'extract all' makes them",
    "images_training_rev1/images_training_rev1",
    "training_solutions_rev1/training_solutions_rev1.csv",
    "images_test_rev1/images_test_rev1",
  ],
])("opens %s", async (_, train, labels, testFolder) => {
  const folder = await folderWith(await dataFiles(train, labels, testFolder));
  await writeFile(join(folder, train, ".DS_Store"), "not an image");
  const dataset = await expectWhole(folder);
  expect(dataset.name).toBe("data");
  expect(dataset.file(TRAIN[1]!, "train")).toBe(join(folder, train, "100023.jpg"));
  expect(dataset.where(TRAIN[1]!, "train")).toBe(
    `${join(folder, train, "100023.jpg")} (row 3 of ${labels.split("/").at(-1)})`,
  );
  expect(dataset.where(TEST[0]!, "test")).toBe(join(folder, testFolder, "100018.jpg"));
});

test.each([true, false])(
  "opens Kaggle's three zips as downloaded (deflated: %s)",
  async (compress) => {
    const folder = await folderWith(await kaggleZips(compress));
    const dataset = await expectWhole(folder);
    expect(dataset.where(TRAIN[0]!, "train")).toBe(
      `${folder}/images_training_rev1.zip/images_training_rev1/100008.jpg (row 2 of training_solutions_rev1.csv)`,
    );
  },
);

test("opens a mix of folders and zips", async () => {
  const zips = await kaggleZips();
  delete zips["training_solutions_rev1.zip"];
  const folder = await folderWith({ ...zips, "labels.csv": labelsCsv() });
  await expectWhole(folder);
});

test("reads stored zips in the one zip where they lie", async () => {
  const folder = await folderWith({ [WHOLE]: await zip(await kaggleZips(), { compress: false }) });
  await expectWhole(join(folder, WHOLE));
  await expectWhole(folder); // the folder that holds it
  expect(await readdir(join(folder, "..")), "nothing is unpacked").toEqual(["data"]);
});

test("unpacks deflated zips in the one zip once, into the cache folder", async () => {
  const folder = await folderWith({ [WHOLE]: await zip(await kaggleZips()) });
  await expectWhole(join(folder, WHOLE));
  const cache = join(process.env.GZ_CACHE_DIR!, "zips");
  const names = await readdir(cache);
  expect(names.map((name) => name.replace(/-[0-9a-f]{8}-\d+\.zip$/, "")).sort()).toEqual([
    "images_test_rev1",
    "images_training_rev1",
    "training_solutions_rev1",
  ]);
  // one that was cut short is unpacked again
  await writeFile(join(cache, names[0]!), "cut short");
  const dataset = await expectWhole(folder);
  expect((await readdir(cache)).sort()).toEqual(names.sort());
  expect(dataset.file(TRAIN[0]!, "train")).toBe(
    `${folder}/${WHOLE}/images_training_rev1.zip/images_training_rev1/100008.jpg`,
  );
});

test("opens one zip that holds the folders themselves", async () => {
  const folder = await folderWith({ "galaxies.zip": await zip(await kaggleFiles()) });
  await expectWhole(join(folder, "galaxies.zip"));
});

test("what lies unpacked comes before the zips", async () => {
  const folder = await folderWith({
    ...(await kaggleFiles()),
    "images_test_rev1.zip": "no zip at all",
    [WHOLE]: (await zip(await kaggleZips())).subarray(0, -100), // a download that broke off
  });
  await expectWhole(folder);
  expect(await checkDataset(folder)).toEqual([]);
  // what does not lie unpacked is looked for in it
  await rm(join(folder, "images_test_rev1"), { recursive: true });
  await rm(join(folder, "images_test_rev1.zip"));
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/${WHOLE}: expected a zip archive but it is damaged or cut short`,
  );
});

test("a zip's images in several folders are named without any, in one folder with it", async () => {
  const files = await kaggleFiles();
  const [first, ...rest] = Object.entries(only(files, "images_test_rev1"));
  const parts = { "a/100018.jpg": first![1], ...Object.fromEntries(rest) };
  const folder = await folderWith({ ...files, "images_test_rev1.zip": await zip(parts) });
  await rm(join(folder, "images_test_rev1"), { recursive: true });
  const dataset = await expectWhole(folder);
  for (const id of TEST)
    expect(dataset.file(id, "test")).toBe(`${folder}/images_test_rev1.zip/${id}.jpg`);
});

test("image() is the file decoded, and names it where it cannot be", async () => {
  const folder = await folderWith(await kaggleFiles());
  const dataset = await openDataset(folder);
  const size = { width: 16, height: 16 };
  const [id] = TRAIN;
  expect((await dataset.image(id!, "train", size)).data).toEqual(
    (await decode(await jpeg(id!), size)).data,
  );
  await expect(dataset.image(id!, "train")).rejects.toThrow(
    `decode: expected 424 x 424 pixels for ${folder}/images_training_rev1/100008.jpg (row 2 of training_solutions_rev1.csv) but got 16 x 16`,
  );
});

test("a data set of fit cover brings every image to the expected size, in workers too", async () => {
  const dataset = await openDataset(await folderWith(await kaggleFiles()), { fit: "cover" });
  const there = await openDataset(structuredClone(dataset.describe()));
  const image = await there.image(TRAIN[0]!, "train");
  expect(image.shape).toEqual([424, 424, 3]);
  expect(Math.abs(image.get(200, 300, 0) - (TRAIN[0]! % 256))).toBeLessThanOrEqual(2);
  await expect(openDataset(dataset.path, { fit: "inside" as "cover" })).rejects.toThrow(
    'openDataset: expected "exact" or "cover" for fit but got "inside"',
  );
});

test("closing waits for the reads that run", async () => {
  const dataset = await openDataset(await folderWith(await kaggleZips()));
  const reads = TRAIN.map((id) => dataset.read(id, "train"));
  await dataset.close();
  expect(await Promise.all(reads)).toEqual(await Promise.all(TRAIN.map((id) => jpeg(id))));
  await expect(dataset.read(TRAIN[0]!, "train")).rejects.toThrow("the data set is closed");

  const disposed = await openDataset(await folderWith(await kaggleZips()));
  await disposed[Symbol.asyncDispose]();
  await expect(disposed.read(TRAIN[0]!, "train")).rejects.toThrow("the data set is closed");
});

test("a zip that is gone when a description is opened is named, and no file stays open", async () => {
  const folder = await folderWith(await kaggleZips());
  const dataset = await openDataset(folder);
  const description = dataset.describe();
  await dataset.close();
  await rm(join(folder, "images_test_rev1.zip"));
  const before = openFiles(folder);
  await expect(openDataset(description)).rejects.toThrow(
    `openDataset: cannot open ${folder}/images_test_rev1.zip: there is no such file or folder (ENOENT)`,
  );
  expect(openFiles(folder)).toEqual(before);
});

/** What this process holds open of a folder, where the system tells. */
function openFiles(folder: string): string[] {
  if (!existsSync("/proc/self/fd")) return [];
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return []; // the listing's own
    }
  });
}

test("anything but a path or a description is refused", async () => {
  const refused = (source: unknown) => openDataset(source as string);
  await expect(refused(new URL("file:///data"))).rejects.toThrow(
    "openDataset: expected a path or what `describe` gave for source but got a URL",
  );
  await expect(refused(undefined)).rejects.toThrow("for source but got undefined");
  await expect(refused({})).rejects.toThrow("for source but got a Object");
  await expect(checkDataset(undefined as unknown as string)).rejects.toThrow(
    "checkDataset: expected a path for path but got undefined",
  );
});

test("a split may be absent", async () => {
  const files = await kaggleFiles();
  const testOnly = await openDataset(await folderWith(only(files, "images_test_rev1")));
  expect([testOnly.trainIds, testOnly.testIds, testOnly.labels]).toEqual([[], TEST, undefined]);
  await expect(testOnly.read(1, "train")).rejects.toThrow(
    `read: expected train images in ${testOnly.path} but there are none`,
  );
  const trainOnly = await openDataset(
    await folderWith({ ...only(files, "images_training"), ...only(files, "training_") }),
  );
  expect([trainOnly.trainIds, trainOnly.testIds]).toEqual([TRAIN, []]);
});

test("test ids ascend, training ids keep the order of the labels", async () => {
  const ids = [30, 4, 200];
  const files: Files = { "labels.csv": labelsCsv(ids) };
  for (const id of ids) files[`images/${id}.jpg`] = files[`test/${id + 1}.jpg`] = "";
  const dataset = await openDataset(await folderWith(files));
  expect(dataset.trainIds).toEqual(ids);
  expect(dataset.testIds).toEqual([5, 31, 201]);
});

test("a link is followed and the real path kept", async () => {
  const folder = await folderWith(await kaggleFiles());
  await symlink(folder, join(folder, "..", "link"));
  expect((await openDataset(join(folder, "..", "link"))).path).toBe(folder);
});

test("says what it looked for", async () => {
  const folder = await folderWith({ "cats/1.jpg": "", "notes.txt": "" });
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: expected Galaxy Zoo data in ${folder} but found only cats, notes.txt. Looked for training images (images_training_rev1/, images_train_rev1/, images/ or images_training_rev1.zip), labels (training_solutions_rev1.csv, training_solutions_rev1.zip or labels.csv), test images (images_test_rev1/, test/ or images_test_rev1.zip), and galaxy-zoo-the-galaxy-challenge.zip`,
  );
  await expect(openDataset(join(folder, "nowhere"))).rejects.toThrow(
    `openDataset: cannot open ${folder}/nowhere: there is no such file or folder (ENOENT)`,
  );
  await writeFiles(folder, { "some.zip": await zip({ "cats/1.jpg": "" }) });
  await expect(openDataset(join(folder, "some.zip"))).rejects.toThrow(
    `expected Galaxy Zoo data in ${folder}/some.zip but found nothing of it`,
  );
});

test("one half of the training data alone is refused", async () => {
  const files = await kaggleFiles();
  const images = await folderWith(only(files, "images_training"));
  await expect(openDataset(images)).rejects.toThrow(
    `openDataset: ${images}: expected labels for the training images but there are none`,
  );
  const labels = await folderWith(only(files, "training_"));
  await expect(openDataset(labels)).rejects.toThrow(
    `openDataset: ${labels}: expected images for the labels but there are none`,
  );
});

test("an id without image and an image without label are named", async () => {
  const folder = await folderWith(await kaggleFiles());
  await rm(join(folder, "images_training_rev1/100053.jpg"));
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/training_solutions_rev1.csv row 4: expected image 100053.jpg in ${folder}/images_training_rev1 but it is missing`,
  );
  await writeFiles(folder, {
    "images_training_rev1/100053.jpg": "",
    "images_training_rev1/7.jpg": "",
  });
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/images_training_rev1/7.jpg: expected a row for 7 in ${folder}/training_solutions_rev1.csv but there is none`,
  );
});

test("an image whose name is no id is refused by name, id 0 is one, hidden files are none", async () => {
  const folder = await folderWith(await kaggleFiles());
  const images = join(folder, "images_test_rev1");
  await writeFiles(images, { "0.jpg": await jpeg(0), "._100018.jpg": "", "list.txt": "" });
  const dataset = await openDataset(folder);
  expect(dataset.testIds).toEqual([0, ...TEST]);
  expect(await dataset.read(0, "test")).toEqual(await jpeg(0));
  const names = ["2.JPG", "3.jpeg", "0042.jpg", "587722981742084144.jpg", "5.png"];
  for (const name of names) {
    await writeFiles(images, { [name]: "" });
    const problem = {
      file: `${images}/${name}`,
      message: "expected a name like 100008.jpg, of a GalaxyID of at most 15 digits",
    };
    expect(await checkDataset(folder)).toEqual([problem]);
    await expect(openDataset(folder)).rejects.toThrow(
      `openDataset: ${problem.file}: ${problem.message}`,
    );
    await rm(join(images, name));
  }
  const zipped = { "test/100018.jpg": "", "test/0042.jpg": "", "__MACOSX/test/._100018.jpg": "" };
  await writeFiles(folder, { "a.zip": await zip(zipped) });
  expect((await checkDataset(join(folder, "a.zip"))).map(({ file }) => file)).toEqual([
    `${folder}/a.zip/test/0042.jpg`,
  ]);
});

test("an id in both splits is refused", async () => {
  const folder = await folderWith(await kaggleFiles());
  await writeFiles(folder, { "images_test_rev1/100053.jpg": await jpeg(100053) });
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/images_test_rev1/100053.jpg: expected each galaxy in one split but 100053 is in ${folder}/images_training_rev1 too`,
  );
});

test("an image that disappeared is named with its row", async () => {
  const folder = await folderWith(await kaggleFiles());
  const dataset = await openDataset(folder);
  await rm(join(folder, "images_training_rev1/100053.jpg"));
  await expect(dataset.read(100053, "train")).rejects.toThrow(
    `read: expected an image at ${folder}/images_training_rev1/100053.jpg (row 4 of training_solutions_rev1.csv) but there is no such file or folder (ENOENT)`,
  );
});

test("damaged zips are told from good ones", async () => {
  const zips = await kaggleZips();
  const good = zips["images_training_rev1.zip"] as Buffer;

  const cut = await folderWith({ ...zips, "images_training_rev1.zip": good.subarray(0, -100) });
  await expect(openDataset(cut)).rejects.toThrow(
    `openDataset: ${cut}/images_training_rev1.zip: expected a zip archive but it is damaged or cut short`,
  );

  await rm(join(cut, "images_training_rev1.zip"));
  await symlink(join(cut, "gone.zip"), join(cut, "images_training_rev1.zip"));
  await expect(openDataset(cut)).rejects.toThrow(
    `openDataset: ${cut}/images_training_rev1.zip: expected a file to read but there is no such file or folder (ENOENT)`,
  );

  // a byte of an image changed: the directory is fine, the image is not
  for (const compress of [true, false]) {
    const changed = Buffer.from((await kaggleZips(compress))["images_training_rev1.zip"]!);
    changed[100]! ^= 255;
    const folder = await folderWith({ ...zips, "images_training_rev1.zip": changed });
    const dataset = await openDataset(folder);
    await expect(dataset.read(TRAIN[0]!, "train")).rejects.toThrow(
      `read: expected an image at ${folder}/images_training_rev1.zip/images_training_rev1/100008.jpg (row 2 of training_solutions_rev1.csv) but its data in the zip archive are damaged (`,
    );
    expect(await dataset.read(TRAIN[1]!, "train")).toEqual(await jpeg(TRAIN[1]!));
    await dataset.close();
    await expect(dataset.read(TRAIN[1]!, "train")).rejects.toThrow("but the data set is closed");
  }
  const unknown = await openDataset(await folderWith(zips));
  await expect(unknown.read(999, "train")).rejects.toThrow("but no such image in the archive");
  await unknown.close();

  const twice = await folderWith({
    ...zips,
    "images_test_rev1.zip": await zip({ "a/5.jpg": "", "b/5.jpg": "" }),
  });
  await expect(openDataset(twice)).rejects.toThrow(
    `openDataset: ${twice}/images_test_rev1.zip/b/5.jpg: expected image 5 once but it is there twice`,
  );

  const empty = await folderWith({ ...zips, "training_solutions_rev1.zip": await zip({ a: "" }) });
  await expect(openDataset(empty)).rejects.toThrow(
    `openDataset: ${empty}/training_solutions_rev1.zip: expected training_solutions_rev1.csv in it but it is not there`,
  );
});

test("a deflated zip in the zip that is damaged leaves nothing in the cache folder", async () => {
  const outer = await zip(await kaggleZips());
  outer[300]! ^= 255;
  const folder = await folderWith({ [WHOLE]: outer });
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/${WHOLE}/images_training_rev1.zip: expected to unpack it to `,
  );
  expect(await readdir(join(process.env.GZ_CACHE_DIR!, "zips"))).toEqual([]);
});

test("a name that should be a folder but is a file is refused", async () => {
  const folder = await folderWith({ "labels.csv": labelsCsv() });
  await writeFile(join(folder, "images"), "");
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/images: expected a folder to list but it is not a folder (ENOTDIR)`,
  );
  await rm(join(folder, "images"));
  await rm(join(folder, "labels.csv"));
  await mkdir(join(folder, "labels"));
  await writeFiles(folder, { "images/1.jpg": "" });
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${folder}/labels/labels.csv: expected a file to read but there is no such file or folder (ENOENT)`,
  );
});

test("labels of another tree: its columns, its sums, its errors by file and row", async () => {
  const tree: QuestionTree = [
    { name: "kind", answers: ["star", "galaxy"] },
    { name: "merging", answers: ["yes", "no"], parents: ["galaxy"] },
  ];
  const files = await dataFiles("images", "labels.csv", "test");
  const labels = (third: string) =>
    `GalaxyID,star,galaxy,yes,no\n${TRAIN[0]},0.25,0.75,0.5,0.25\n${TRAIN[1]},0,1,1,0\n${TRAIN[2]},${third}\n${TRAIN[3]},1,0,0,0\n`;
  const folder = await folderWith({ ...files, "labels.csv": labels("0.5,0.5,0.25,0.25") });
  const { labels: values } = await openDataset(folder, { tree });
  expect([...values!]).toEqual([
    0.25, 0.75, 0.5, 0.25, 0, 1, 1, 0, 0.5, 0.5, 0.25, 0.25, 1, 0, 0, 0,
  ]);
  expect(await checkDataset(folder, { tree })).toEqual([]);

  await writeFile(join(folder, "labels.csv"), labels("0.5,0.5,0.5,0.5"));
  const sum =
    "expected the answers of merging (yes to no) to add up to galaxy = 0.5 within 0.00001 but got 1";
  await expect(openDataset(folder, { tree })).rejects.toThrow(`labels.csv row 4: ${sum}`);
  const [problem] = await checkDataset(folder, { tree });
  expect(problem).toMatchObject({ row: 4, id: TRAIN[2], message: sum });
  await expect(openDataset(folder)).rejects.toThrow(
    'labels.csv row 1: expected the header GalaxyID, Class1.1 ... Class11.6 but column 2 is "star" instead of Class1.1',
  );
  await writeFile(join(folder, "labels.csv"), labels("0.5,0.5,0.5"));
  await expect(openDataset(folder, { tree })).rejects.toThrow("row 4: expected 5 values but got 4");
  await writeFile(join(folder, "labels.csv"), labels("0.5,0.5,x,0.5"));
  await expect(openDataset(folder, { tree })).rejects.toThrow(
    'row 4: expected a number for yes but got "x"',
  );
});
