import { fractionProblem, type LabelCheck } from "./labels.ts";
import { type PredictionsOptions, readAs } from "./predictions.ts";
import { COLUMNS } from "./tree.ts";

/**
 * Checks that a submission (a file, or its ids) has exactly the expected test ids, and a file fractions from 0 to 1.
 * Throws an error that names the missing and the extra ones (the first 10 of each, and how many), or file and row.
 */
export async function checkSubmission(
  submission: string | readonly number[],
  expectedIds: readonly number[],
  { columns = COLUMNS }: PredictionsOptions = {},
): Promise<void> {
  const name = typeof submission === "string" ? submission : "the submission";
  const check: LabelCheck = (values) => fractionProblem(columns, values);
  const ids =
    typeof submission === "string"
      ? (await readAs("checkSubmission", submission, columns, check)).ids
      : submission;
  const given = new Set(ids);
  const expected = new Set(expectedIds);
  const problems: string[] = [];
  const missing = expectedIds.filter((id) => !given.has(id));
  const extra = ids.filter((id) => !expected.has(id));
  if (missing.length > 0) problems.push(`${missing.length} are missing (${list(missing)})`);
  if (extra.length > 0) problems.push(`${extra.length} do not belong (${list(extra)})`);
  if (ids.length !== given.size) problems.push(`${ids.length - given.size} are there twice`);
  if (problems.length > 0)
    throw new Error(
      `checkSubmission: expected the ${expected.size} test ids in ${name} but ${problems.join(" and ")}`,
    );
}

function list(ids: readonly number[]): string {
  return ids.slice(0, 10).join(", ") + (ids.length > 10 ? ", ..." : "");
}
