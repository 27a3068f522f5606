import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HEADER, temporaryFolder, votes } from "../test/helpers.ts";
import { openPredictions, readPredictions, writePredictions } from "./predictions.ts";

const ROW = Float32Array.from(votes(1 / 3));

test("writes what Kaggle takes: its header, ids that ascend, shortest decimals", async () => {
  const file = join(await temporaryFolder(), "new folder", "submission.csv");
  const values = new Float32Array(3 * 37);
  values.set([0.1, 1 / 3, 1, 1e-7, 0.30000001192092896], 37);
  await writePredictions(file, [30, 4, 200], values);
  const zeros = (count: number): string => ",0".repeat(count);
  expect(await readFile(file, "utf8")).toBe(
    `${HEADER}\n4,0.1,0.33333334,1,1e-7,0.3${zeros(32)}\n30${zeros(37)}\n200${zeros(37)}\n`,
  );
  expect(await readdir(join(file, "..")), "no temporary file is left").toEqual(["submission.csv"]);
});

test("other columns: the same file with their names, and errors that name them", async () => {
  const file = join(await temporaryFolder(), "p.csv");
  const columns = ["ring", "no ring"];
  await writePredictions(file, [7, 3], Float32Array.of(0.25, 0.75, 1, 0), { columns });
  expect(await readFile(file, "utf8")).toBe("GalaxyID,ring,no ring\n3,1,0\n7,0.25,0.75\n");
  const { ids, values } = await readPredictions(file, { columns });
  expect([ids, [...values]]).toEqual([
    [3, 7],
    [1, 0, 0.25, 0.75],
  ]);
  await expect(readPredictions(file)).rejects.toThrow('column 2 is "ring" instead of Class1.1');
  await expect(readPredictions(file, { columns: ["ring"] })).rejects.toThrow(
    'row 1: expected the header GalaxyID, ring but column 3 is "no ring"',
  );
  await expect(writePredictions(file, [1], Float32Array.of(1, 2, 3), { columns })).rejects.toThrow(
    "writePredictions: expected 1 x 2 values but got 3",
  );
  const bad = writePredictions(file, [1], Float32Array.of(1, Number.NaN), { columns });
  await expect(bad).rejects.toThrow("expected a finite float32 for no ring of id 1");
});

test("line breaks may differ from row to row, and rows are counted as an editor does", async () => {
  const file = join(await temporaryFolder(), "p.csv");
  const columns = ["a"];
  await writeFile(file, "GalaxyID,a\r\n1,0.5\n2,0.25\r\n3,1\r4,0\n");
  const { ids, values } = await readPredictions(file, { columns });
  expect([ids, [...values]]).toEqual([
    [1, 2, 3, 4],
    [0.5, 0.25, 1, 0],
  ]);
  await writeFile(file, "GalaxyID,a\r\n1,0.5\n\r\n2,x\r\n");
  await expect(readPredictions(file, { columns })).rejects.toThrow(
    'row 4: expected a number for a but got "x"',
  );
});

test("every float32 comes back as the same float32", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "p.csv");
  const single = fc.float({ noNaN: true, noDefaultInfinity: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(single, fc.float({ min: 0, max: 1, noNaN: true })), {
        minLength: 37,
        maxLength: 37,
      }),
      async (row) => {
        await writePredictions(file, [5], Float32Array.from(row));
        const { ids, values } = await readPredictions(file);
        expect(ids).toEqual([5]);
        expect([...values]).toEqual(row.map((value) => Math.fround(value) + 0)); // -0 becomes 0
      },
    ),
    { numRuns: 50 },
  );
});

test("rows as they come, many of them, equal the whole table", async () => {
  const folder = await temporaryFolder();
  const ids = Array.from({ length: 1000 }, (_, i) => 100000 + 7 * i);
  const values = Float32Array.from({ length: 37 * 1000 }, (_, i) => Math.sin(i) ** 2);
  await writePredictions(join(folder, "whole.csv"), ids, values);
  const writer = await openPredictions(join(folder, "rows.csv"));
  for (const [i, id] of ids.entries()) await writer.write(id, values.subarray(37 * i, 37 * i + 37));
  expect(existsSync(join(folder, "rows.csv")), "before close there is no file").toBe(false);
  await writer.close();
  await writer.close();
  const text = await readFile(join(folder, "rows.csv"), "utf8");
  expect(text).toBe(await readFile(join(folder, "whole.csv"), "utf8"));
  expect(await readPredictions(join(folder, "rows.csv"))).toEqual({ ids, values });
});

test("closing ends it once, however often and early it is asked for, and takes no row meanwhile", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "p.csv");
  const writer = await openPredictions(file);
  await writer.write(1, ROW);
  const closing = [writer.close(), writer.close()];
  await expect(writer.write(2, ROW)).rejects.toThrow(
    `write: expected an open file but ${file} is closed`,
  );
  await writer.abort(); // too late
  await Promise.all(closing);
  expect((await readPredictions(file)).ids).toEqual([1]);
  expect(await readdir(folder)).toEqual(["p.csv"]);

  const disposed = await openPredictions(file);
  await disposed.write(5, ROW);
  await disposed[Symbol.asyncDispose]();
  expect((await readPredictions(file)).ids).toEqual([1]);
  expect(await readdir(folder)).toEqual(["p.csv"]);
});

test("giving up leaves the earlier file as it was", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "p.csv");
  await writePredictions(file, [1], ROW);
  const before = await readFile(file, "utf8");
  const writer = await openPredictions(file);
  await writer.write(2, ROW);
  await writer.abort();
  await writer.abort();
  expect(await readFile(file, "utf8")).toBe(before);
  expect(await readdir(folder)).toEqual(["p.csv"]);
  await expect(writer.write(3, ROW)).rejects.toThrow(
    `write: expected an open file but ${file} is given up`,
  );
  await expect(writer.close()).rejects.toThrow(
    `close: expected an open file but ${file} is given up`,
  );
});

test("what a killed process left is removed after an hour, what a live one or one elsewhere writes is not", async () => {
  const folder = await temporaryFolder();
  // no process has a number above 2^22 on Linux
  const dead = `.p.csv.${hostname()}.4194305.aaaa.tmp`;
  const alive = `.p.csv.${hostname()}.${process.ppid}.bbbb.tmp`;
  const elsewhere = ".p.csv.another-host.4194305.cccc.tmp";
  // another container's process looks dead from here
  const container = `.p.csv.${hostname()}.4194306.dddd.tmp`;
  const longAgo = Date.now() / 1000 - 3700;
  for (const name of [dead, alive, elsewhere, container]) {
    await writeFile(join(folder, name), "");
    if (name !== container) await utimes(join(folder, name), longAgo, longAgo);
  }
  await writePredictions(join(folder, "p.csv"), [1], ROW);
  expect((await readdir(folder)).sort()).toEqual([alive, elsewhere, container, "p.csv"].sort());
});

test("rows that Kaggle would not take are refused as they come", async () => {
  const file = join(await temporaryFolder(), "p.csv");
  const writer = await openPredictions(file);
  await writer.write(10, ROW);
  await expect(writer.write(10, ROW)).rejects.toThrow(
    `write: expected a GalaxyID above 10 (ids ascend) for ${file} but got 10`,
  );
  await expect(writer.write(11, ROW.subarray(1))).rejects.toThrow(
    `write: expected 37 values for id 11 of ${file} but got 36`,
  );
  await expect(writer.write(11, ROW.with(3, Number.NaN))).rejects.toThrow(
    `write: expected a finite float32 for Class2.1 of id 11 in ${file} but got NaN`,
  );
  await expect(writer.write(11, [...ROW].with(3, 1e39))).rejects.toThrow("but got 1e+39");
  await writer.write(12, ROW); // the good rows are still there
  await writer.close();
  expect((await readPredictions(file)).ids).toEqual([10, 12]);

  const fresh = await openPredictions(file);
  await expect(fresh.write(-1, ROW)).rejects.toThrow(
    `write: expected a GalaxyID of 0 or more for ${file} but got -1`,
  );
  await expect(fresh.write(1e15, ROW)).rejects.toThrow(
    `write: expected a GalaxyID of at most 15 digits for ${file} but got 1000000000000000`,
  );
  await fresh.write(1e15 - 1, ROW);
  await fresh.abort();
  await expect(writePredictions(file, [1, 2], ROW)).rejects.toThrow(
    "writePredictions: expected 2 x 37 values but got 37",
  );
  const twice = Float32Array.from([...ROW, ...ROW]);
  await expect(writePredictions(file, [1, 1], twice)).rejects.toThrow(
    `writePredictions: expected a GalaxyID above 1 (ids ascend) for ${file} but got 1`,
  );
  const plain = writePredictions(file, [1], [...ROW] as unknown as Float32Array);
  await expect(plain).rejects.toThrow(
    "writePredictions: expected a Float32Array for values but got an array of 37",
  );
  expect((await readPredictions(file)).ids, "the earlier file stays").toEqual([10, 12]);
});

test.each([
  [
    "another header",
    `id,${HEADER.slice(9)}\n`,
    ' row 1: expected the header GalaxyID, Class1.1 ... Class11.6 but column 1 is "id" instead of GalaxyID',
  ],
  ["a short row", `${HEADER}\n1,${ROW.join()}\n2,0.5\n`, " row 3: expected 38 values but got 2"],
  [
    "a value that is no number",
    `${HEADER}\n1,${ROW.with(1, Number.NaN).join()}\n`,
    ' row 2: expected a number for Class1.2 but got "NaN"',
  ],
  [
    "a value beyond float32",
    `${HEADER}\n1,${[...ROW].with(1, 1e39).join()}\n`,
    " row 2: expected a number within float32 for Class1.2 but got 1e+39",
  ],
  [
    "an id twice",
    `${HEADER}\n1,${ROW.join()}\n1,${ROW.join()}\n`,
    " row 3: expected each id once but 1 stands in row 2 already",
  ],
  ["nothing in it", "", ": expected a header and rows but the file is empty"],
])("reading a file with %s is refused", async (_, text, message) => {
  const file = join(await temporaryFolder(), "p.csv");
  await writeFile(file, text);
  await expect(readPredictions(file)).rejects.toThrow(`readPredictions: ${file}${message}`);
});

test("a file that cannot be read or written says why", async () => {
  const folder = await temporaryFolder();
  await expect(readPredictions(join(folder, "none.csv"))).rejects.toThrow(
    `readPredictions: ${folder}/none.csv: expected a file to read but there is no such file or folder (ENOENT)`,
  );
  await expect(readPredictions(folder)).rejects.toThrow("but it is a folder (EISDIR)");
  await mkdir(join(folder, "taken.csv"));
  await expect(writePredictions(join(folder, "taken.csv"), [1], ROW)).rejects.toThrow(
    `writePredictions: cannot write ${folder}/taken.csv: it is a folder (EISDIR)`,
  );
  const writer = await openPredictions(join(folder, "taken.csv"));
  await expect(writer.close()).rejects.toThrow(
    `openPredictions: cannot write ${folder}/taken.csv: it is a folder (EISDIR)`,
  );
  await expect(writer.close()).rejects.toThrow("close: expected an open file but");
  expect(await readdir(folder)).toEqual(["taken.csv"]);
});

// A limit on the size of files stands in for a full disk: the write fails half-way, for real.
const prlimit = ["/usr/bin/prlimit", "/bin/prlimit"].find(existsSync);
test.skipIf(!prlimit)("a disk that fills up leaves no half file", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "p.csv");
  await writePredictions(file, [1], ROW);
  const before = await readFile(file, "utf8");
  const limit = (size: string): Buffer =>
    execFileSync(prlimit!, ["--pid", String(process.pid), `--fsize=${size}:`]);
  const ids = Array.from({ length: 2000 }, (_, i) => i);
  const values = new Float32Array(2000 * 37).fill(1 / 3);
  limit("100000");
  try {
    await expect(writePredictions(file, ids, values)).rejects.toThrow(
      `writePredictions: cannot write ${file}: the file would be larger than this process may write (EFBIG)`,
    );
  } finally {
    limit("unlimited");
  }
  expect(await readFile(file, "utf8")).toBe(before);
  expect(await readdir(folder)).toEqual(["p.csv"]);
});
