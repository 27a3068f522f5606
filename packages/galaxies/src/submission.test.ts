import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder, votes } from "../test/helpers.ts";
import { writePredictions } from "./predictions.ts";
import { checkSubmission } from "./submission.ts";

const ROW = Float32Array.from(votes(1 / 3));

test("a submission has exactly the test ids", async () => {
  const file = join(await temporaryFolder(), "submission.csv");
  await writePredictions(file, [1, 2, 3], Float32Array.from([...ROW, ...ROW, ...ROW]));
  await checkSubmission(file, [3, 1, 2]);
  await checkSubmission([1, 2, 3], [1, 2, 3]);
  await expect(checkSubmission(file, [1, 2, 4, 5])).rejects.toThrow(
    `checkSubmission: expected the 4 test ids in ${file} but 2 are missing (4, 5) and 1 do not belong (3)`,
  );
  const many = Array.from({ length: 12 }, (_, i) => i + 1);
  await expect(checkSubmission([], many)).rejects.toThrow(
    "checkSubmission: expected the 12 test ids in the submission but 12 are missing (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)",
  );
  await expect(checkSubmission([1, 1, 2], [1, 2])).rejects.toThrow("but 1 are there twice");
});

test("a submission holds fractions, of the columns that it is to have", async () => {
  const file = join(await temporaryFolder(), "submission.csv");
  for (const value of [-0.25, 1.5]) {
    await writePredictions(file, [1, 2], Float32Array.from([...ROW, ...ROW.with(4, value)]));
    await expect(checkSubmission(file, [1, 2])).rejects.toThrow(
      `checkSubmission: ${file} row 3: expected a vote fraction from 0 to 1 for Class2.2 but got ${value}`,
    );
  }
  const columns = ["ring", "no ring"];
  await writePredictions(file, [3], Float32Array.of(0.25, 0.75), { columns });
  await checkSubmission(file, [3], { columns });
  await expect(checkSubmission(file, [3])).rejects.toThrow(`checkSubmission: ${file} row 1: `);
  await writeFile(file, "");
  await expect(checkSubmission(file, [3])).rejects.toThrow(
    `checkSubmission: ${file}: expected a header and rows but the file is empty`,
  );
});
