import { rm } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import {
  type Files,
  HEADER,
  jpeg,
  kaggleFiles,
  kaggleZips,
  temporaryFolder,
  votes,
  writeFiles,
} from "../test/helpers.ts";
import { checkDataset } from "./check.ts";
import { openDataset } from "./dataset.ts";
import { COLUMNS } from "./tree.ts";

const SIZE = { width: 16, height: 16 };

test("a good data set has no problems", async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, await kaggleFiles());
  const progress: [number, number][] = [];
  const onProgress = (done: number, total: number): void => void progress.push([done, total]);
  expect(await checkDataset(folder)).toEqual([]);
  expect(await checkDataset(folder, { decode: true, ...SIZE, onProgress })).toEqual([]);
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7].map((done) => [done, 7]));
});

/** Rows with one thing wrong each, and what is said of it. */
function faultyLabels(): {
  csv: string;
  messages: [row: number, id: number | undefined, message: string][];
} {
  const good = votes();
  const row = (id: number | string, change: (values: (number | string)[]) => void): string => {
    const values: (number | string)[] = [...good];
    change(values);
    return [id, ...values].join(",");
  };
  const lines = [
    HEADER,
    row(10, () => {}),
    row(11, (values) => values.pop()),
    row(12, (values) => values.push(0)),
    "",
    row(13, (values) => (values[6] = "much")),
    row(14, (values) => (values[6] = "")),
    row(15, (values) => (values[6] = "1e999")),
    row(16, (values) => (values[2] = 1.25)),
    row(17, (values) => (values[36] = 0.9)),
    row(10, () => {}),
    row("NGC 224", () => {}),
    row(18, (values) => (values[0] = "nan")),
    row("587722981742084144", () => {}), // the survey's own number of an object: no double holds it
    row(19, () => {}),
  ];
  return {
    csv: `\uFEFF${lines.join("\r\n")}`, // as Excel saves it, without a line break at the end
    messages: [
      [3, 11, "expected 38 values but got 37"],
      [4, 12, "expected 38 values but got 39"],
      [6, 13, 'expected a number for Class3.2 but got "much"'],
      [7, 14, 'expected a number for Class3.2 but got ""'],
      [8, 15, "expected a number within float32 for Class3.2 but got 1e999"],
      [9, 16, "expected a vote fraction from 0 to 1 for Class1.3 but got 1.25"],
      [
        10,
        17,
        "expected the answers of Q11 (Class11.1 to Class11.6) to add up to Class4.1 = 0.0625 within 0.00001 but got 0.9520833",
      ],
      [11, 10, "expected each id once but 10 stands in row 2 already"],
      [12, undefined, 'expected a GalaxyID, a number of at most 15 digits, but got "NGC 224"'],
      [13, 18, 'expected a number for Class1.1 but got "nan"'],
      [
        14,
        undefined,
        'expected a GalaxyID, a number of at most 15 digits, but got "587722981742084144"',
      ],
    ],
  };
}

test("lists every problem of labels and images, with file and row; opening stops at the first", async () => {
  const folder = await temporaryFolder();
  const { csv, messages } = faultyLabels();
  const files: Files = { "labels.csv": csv };
  for (let id = 10; id < 19; id++) files[`images/${id}.jpg`] = await jpeg(id);
  files["images/11.jpg"] = (await jpeg(11)).subarray(0, -12);
  files["images/13.jpg"] = await jpeg(13, 32);
  files["images/99.jpg"] = "";
  files["test/5.jpg"] = "This is not an image";
  await writeFiles(folder, files);

  const labels = join(folder, "labels.csv");
  const expected = [
    ...messages.map(([row, id, message]) => ({
      file: labels,
      row,
      ...(id !== undefined && { id }),
      message,
    })),
    {
      file: labels,
      row: 15,
      id: 19,
      message: `expected image 19.jpg in ${folder}/images but it is missing`,
    },
    {
      file: `${folder}/images/99.jpg`,
      id: 99,
      message: `expected a row for 99 in ${labels} but there is none`,
    },
  ];
  expect(await checkDataset(folder)).toEqual(expected);

  const all = await checkDataset(folder, { decode: true, ...SIZE });
  expect(all.slice(0, expected.length)).toEqual(expected);
  expect(all.slice(expected.length)).toEqual([
    {
      file: `${folder}/images/11.jpg`,
      row: 3,
      id: 11,
      message: expect.stringMatching(
        /^expected an image that can be decoded for 11\.jpg but got \d+ bytes \(.+\)$/,
      ),
    },
    {
      file: `${folder}/images/13.jpg`,
      row: 6,
      id: 13,
      message: 'expected 16 x 16 pixels for 13.jpg but got 32 x 32 (fit: "cover" takes any size)',
    },
    {
      file: `${folder}/images/99.jpg`,
      id: 99,
      message: "expected an image that can be decoded for 99.jpg but got an empty file",
    },
    {
      file: `${folder}/test/5.jpg`,
      id: 5,
      message:
        "expected an image that can be decoded for 5.jpg but got 20 bytes (Input buffer contains unsupported image format)",
    },
  ]);

  // opening stops at the first of them
  await expect(openDataset(folder)).rejects.toThrow(
    `openDataset: ${labels} row 3: expected 38 values but got 37`,
  );
});

test.each([
  ["an empty file", "", undefined, "expected a header and rows but the file is empty"],
  [
    "another header",
    `id,${COLUMNS.join(",")}\n`,
    1,
    `expected the header GalaxyID, Class1.1 ... Class11.6 but column 1 is "id" instead of GalaxyID`,
  ],
  [
    "a header cut short",
    "GalaxyID,Class1.1\n",
    1,
    "expected the header GalaxyID, Class1.1 ... Class11.6 but column 3 is missing instead of Class1.2",
  ],
  [
    "a column too many",
    `${HEADER},Class12.1\n`,
    1,
    `expected the header GalaxyID, Class1.1 ... Class11.6 but column 39 is "Class12.1"`,
  ],
  [
    "a quote that never ends",
    `${HEADER}\n10,"0.5\n`,
    2,
    "expected CSV but got: Quote Not Closed: the parsing is finished with an opening quote at line 2",
  ],
])("labels with %s are one problem, not one for each image", async (_, csv, row, message) => {
  const folder = await temporaryFolder();
  await writeFiles(folder, { ...(await kaggleFiles()), "training_solutions_rev1.csv": csv });
  const file = join(folder, "training_solutions_rev1.csv");
  expect(await checkDataset(folder)).toEqual([{ file, ...(row && { row }), message }]);
});

test("a damaged zip does not hide the problems of the labels", async () => {
  const folder = await temporaryFolder();
  const zips = await kaggleZips();
  const train = zips["images_training_rev1.zip"] as Buffer;
  await writeFiles(folder, {
    ...zips,
    "images_training_rev1.zip": train.subarray(0, -100),
    "labels.csv": `${HEADER}\n10,0.5\n11,${votes().join()}\n`,
  });
  await rm(join(folder, "training_solutions_rev1.zip"));
  expect(await checkDataset(folder)).toEqual([
    {
      file: `${folder}/images_training_rev1.zip`,
      message: expect.stringMatching(/^expected a zip archive but it is damaged or cut short \(/),
    },
    {
      file: `${folder}/labels.csv`,
      row: 2,
      id: 10,
      message: "expected 38 values but got 2",
    },
  ]);
});

test("a signal stops the work, and where nothing is the error names checkDataset", async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, await kaggleFiles());
  const stop = new AbortController();
  const onProgress = (): void => stop.abort(new Error("enough"));
  const checking = checkDataset(folder, { decode: true, ...SIZE, onProgress, signal: stop.signal });
  await expect(checking).rejects.toThrow("enough");
  await rm(folder, { recursive: true });
  await expect(checkDataset(folder)).rejects.toThrow(`checkDataset: cannot open ${folder}`);
  await writeFiles(folder, { "notes.txt": "" });
  await expect(checkDataset(folder)).rejects.toThrow(
    `checkDataset: expected Galaxy Zoo data in ${folder} but found only notes.txt`,
  );
});

test("greyscale images are not a problem", async () => {
  const folder = await temporaryFolder();
  const files = await kaggleFiles();
  files["images_test_rev1/100018.jpg"] = await sharp(await jpeg(1))
    .greyscale()
    .jpeg()
    .toBuffer();
  await writeFiles(folder, files);
  expect(await checkDataset(folder, { decode: true, ...SIZE })).toEqual([]);
});
