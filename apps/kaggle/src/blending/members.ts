/**
 * Members of a blend: their predictions, read from run folders or CSV files, of the same galaxies for every one.
 * Rows with labels (the validation part) fit and score the weights, the others (the test set) are what is blended.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Member } from "@gz/ensemble";
import { KAGGLE_TREE, type QuestionTree } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import { createProgress } from "../cli/progress.ts";
import { labelTreeOf } from "../recipe/question-tree.ts";
import { openRun } from "../run/run.ts";
import { type Part, type Reading, readSource, type Source } from "./member-files.ts";
import { rowsOf } from "./rows.ts";
import { listIds, refuseOtherData, sameGalaxies } from "./same-galaxies.ts";

/** The members' rows of the same galaxies, in the same order. */
export interface Rows {
  ids: number[];
  members: Member[];
}

export interface Members {
  /** A name of its own for each. */
  names: string[];
  /** The files that each was read from. */
  files: string[][];
  /** Rows with labels; left out without labels. */
  labelled?: Rows;
  /** Rows to blend: those without labels, or all where every one has labels. */
  wanted: Rows;
}

/**
 * Reads the members. Throws a CliError that names the files whose galaxies are missing, are others, or come from
 * another data set; errors of a file's header and rows name it too.
 */
export async function readMembers(sources: readonly string[], reading: Reading): Promise<Members> {
  const { labels } = reading;
  if (sources.length === 0)
    throw new CliError("blend: expected at least one predictions file but got none");
  const read: Source[] = [];
  // Kaggle's test set takes seconds a member.
  const progress = createProgress("read", sources.length);
  try {
    for (const [i, source] of sources.entries()) {
      progress.update(i, source);
      read.push(await readSource(source, reading));
    }
    progress.update(sources.length);
  } finally {
    progress.stop();
  }
  refuseSharedLabels(sources, read);
  const names = memberNames(read);
  const files = read.map(({ labelled, wanted }) => [
    ...new Set([wanted, labelled].flatMap((part) => (part ? [resolve(part.file)] : []))),
  ]);
  refuseOtherData("blend", files.flat(), labels);

  const result = { names, files };
  const labelled =
    labels &&
    rowsOfAll(
      names,
      read.map((source) => source.labelled!),
    );
  if (labelled && labelled.ids.length < 3)
    throw new CliError(
      `blend: expected at least 3 galaxies with labels in ${labels.source} but got ${labelled.ids.length} (${listIds(labelled.ids)})`,
    );
  const wanted = wantedParts(sources, read);
  const expected = labels?.testIds?.length
    ? { name: `the test set of ${labels.source}`, ids: labels.testIds }
    : undefined;
  if (wanted)
    return { ...result, ...(labelled && { labelled }), wanted: rowsOfAll(names, wanted, expected) };
  return { ...result, labelled: labelled!, wanted: labelled! };
}

/** A valid.csv beside two CSV files would be taken for both, and their scores be one's. */
function refuseSharedLabels(sources: readonly string[], read: readonly Source[]): void {
  const fileOf = ({ labelled }: Source) => labelled && resolve(labelled.file);
  for (const [i, source] of read.entries()) {
    const twin = read.findIndex((other) => fileOf(other) && fileOf(other) === fileOf(source));
    if (twin >= 0 && twin < i && sources[twin] !== sources[i])
      throw new CliError(
        `blend: expected labelled predictions of its own for each member but ${sources[twin]} and ${sources[i]} share ${source.labelled!.file}; put them into two folders`,
      );
  }
}

/** The rows to blend of every member; undefined where none has any but labelled ones. */
function wantedParts(sources: readonly string[], read: readonly Source[]): Part[] | undefined {
  const parts = read.map(({ wanted }) => wanted);
  if (parts.every((part): part is Part => part !== undefined)) return parts;
  const owner = parts.find((part) => part !== undefined);
  if (!owner) return undefined;
  const without = sources.filter((_, i) => !parts[i]);
  throw new CliError(
    `blend: expected predictions of the same galaxies of every member but ${without.join(", ")} ${without.length > 1 ? "have" : "has"} none of the ${owner.ids.length} in ${owner.file}; run kaggle predict --split test`,
  );
}

function rowsOfAll(
  names: readonly string[],
  parts: readonly Part[],
  expected?: { name: string; ids: readonly number[] },
): Rows {
  const ids = sameGalaxies(parts, expected);
  return {
    ids,
    members: parts.map((part, i) => ({ name: names[i]!, values: rowsOf(part, ids)! })),
  };
}

/** RUN/predictions/test.csv is called RUN; other files by their own name; all different. */
function memberNames(read: readonly Source[]): string[] {
  const names = read.map(({ labelled, wanted }) => {
    const { file } = (wanted ?? labelled)!;
    const folder = dirname(resolve(file));
    return basename(folder) === "predictions" ? basename(dirname(folder)) : basename(file, ".csv");
  });
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name}#${i + 1}`));
}

/** The questions of the first run among the members, whose predictions have these columns; Kaggle's where there is none. */
export function treeOfMembers(sources: readonly string[]): QuestionTree {
  for (const source of sources)
    for (const folder of [source, dirname(dirname(resolve(source)))])
      if (existsSync(join(folder, "recipe.json"))) return labelTreeOf(openRun(folder).recipe);
  return KAGGLE_TREE;
}
