/**
 * Members' predictions into one submission. Labelled rows (the validation part) fit and score the weights; the other
 * rows (the test set) are what is written.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { applyBlend, type Blend, blend, type Member, type Pruned, prune } from "@gz/ensemble";
import {
  checkSubmission,
  columnsOf,
  KAGGLE_TREE,
  openDataset,
  type Predictions,
  type QuestionTree,
  readPredictions,
  writePredictions,
} from "@gz/galaxies";
import { CliError } from "./errors.ts";
import { labelTreeOf } from "./question-tree.ts";
import { openRun, writeAtomic } from "./run.ts";

export const WEIGHTS = ["uniform", "shared", "column"] as const;
export type Weights = (typeof WEIGHTS)[number];

/** What blending found out; written beside the submission as JSON, for the report. */
export interface BlendResult {
  formatVersion: 1;
  submission: string;
  rows: number;
  members: { name: string; file: string; rmse?: number }[];
  /** The chosen weights, [column][member]. */
  weights: Weights;
  blend?: Blend;
  /** Every strategy, scored on the labelled rows. */
  strategies?: ({ strategy: Weights } & Pick<Blend, "rmse" | "crossValidatedRmse">)[];
  pruned?: Pruned;
}

export interface BlendOptions {
  /** Predictions files, or run folders (their predictions/test.csv). */
  members: string[];
  out: string;
  /** A CSV of labels, or a data set's path. */
  labels?: string | undefined;
  weights?: Weights;
}

export async function blendMembers({
  members: sources,
  out,
  labels: labelsFile,
  weights = "uniform",
}: BlendOptions): Promise<BlendResult> {
  if (sources.length === 0)
    throw new CliError("blend: expected at least one predictions file but got none");
  if (weights !== "uniform" && !labelsFile)
    throw new CliError(`blend: expected --labels for weights "${weights}" but got none`);
  const files = sources.map(predictionsFile);
  const names = memberNames(files);
  const tree = treeOfMembers(files);
  const columns = columnsOf(tree);
  const width = columns.length;
  const predictions: Predictions[] = [];
  for (const file of files) predictions.push(await readPredictions(file, { columns }));
  sameIds(files, predictions);

  const labels = labelsFile ? await readLabels(labelsFile, tree) : undefined;
  const labelled = labels && new Map(labels.ids.map((id, i) => [id, i]));
  const ids = predictions[0]!.ids.filter((id) => !labelled?.has(id));
  const result: BlendResult = {
    formatVersion: 1,
    submission: out,
    rows: 0,
    members: files.map((file, i) => ({ name: names[i]!, file: resolve(file) })),
    weights,
  };

  let chosen: Pick<Blend, "names" | "weights"> = {
    names,
    weights: columns.map(() => names.map(() => 1 / names.length)),
  };
  if (labels && labelled) {
    const fit = await labelledRows(files, predictions, names, labelled, columns);
    const truth = rowsOf(labels, fit.ids, width);
    const options = { columns: width, folds: Math.min(5, fit.ids.length), seed: 1 };
    const strategies = WEIGHTS.map((w) => ({
      strategy: w,
      ...blend(fit.members, truth, { ...options, weights: w }),
    }));
    const { strategy: _, ...best } = strategies.find((s) => s.strategy === weights)!;
    result.blend = best;
    result.strategies = strategies.map(({ strategy, rmse, crossValidatedRmse }) => ({
      strategy,
      rmse,
      crossValidatedRmse,
    }));
    result.members.forEach((member, i) => {
      member.rmse = blend([fit.members[i]!], truth, options).rmse;
    });
    if (names.length > 1) result.pruned = prune(fit.members, truth, { ...options, weights });
    chosen = best;
  }

  const write = ids.length > 0 ? ids : predictions[0]!.ids;
  if (labels?.testIds?.length && ids.length > 0) checkSubmission(ids, labels.testIds);
  const values = applyBlend(
    chosen,
    predictions.map((p, i) => ({ name: names[i]!, values: rowsOf(p, write, width) })),
  );
  await writePredictions(out, write, values, { columns });
  result.rows = write.length;
  writeAtomic(`${out.replace(/\.csv$/, "")}.blend.json`, `${JSON.stringify(result, null, 1)}\n`);
  return result;
}

/** A file as it is; for a run folder, its test predictions, else its validation predictions. */
function predictionsFile(source: string): string {
  if (!existsSync(source))
    throw new CliError(`blend: expected a predictions file or a run but ${source} is not there`);
  if (!statSync(source).isDirectory()) return source;
  for (const split of ["test", "valid"]) {
    const file = join(source, "predictions", `${split}.csv`);
    if (existsSync(file)) return file;
  }
  throw new CliError(`blend: ${source} has no predictions yet; run kaggle predict --run ${source}`);
}

/** The questions of the members that are runs' predictions; Kaggle's where none is. */
function treeOfMembers(files: string[]): QuestionTree {
  for (const file of files) {
    const folder = dirname(dirname(resolve(file)));
    if (existsSync(join(folder, "recipe.json"))) return labelTreeOf(openRun(folder).recipe);
  }
  return KAGGLE_TREE;
}

/** RUN/predictions/test.csv is called RUN; other files by their own name; all different. */
function memberNames(files: string[]): string[] {
  const names = files.map((file) => {
    const folder = dirname(resolve(file));
    return basename(folder) === "predictions" ? basename(dirname(folder)) : basename(file, ".csv");
  });
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name}#${i + 1}`));
}

function sameIds(files: string[], predictions: Predictions[]): void {
  const first = new Set(predictions[0]!.ids);
  predictions.forEach(({ ids }, i) => {
    const other = new Set(ids);
    const missing = [...first].filter((id) => !other.has(id));
    const extra = ids.filter((id) => !first.has(id));
    if (missing.length || extra.length)
      throw new CliError(
        `blend: expected the galaxies of ${files[0]} in ${files[i]} but ${missing.length} are missing (${missing.slice(0, 3).join(", ") || "none"}) and ${extra.length} are others (${extra.slice(0, 3).join(", ") || "none"})`,
      );
  });
}

/** The members' labelled rows: in the files themselves, else in the valid.csv beside each. */
async function labelledRows(
  files: string[],
  predictions: Predictions[],
  names: string[],
  labelled: ReadonlyMap<number, number>,
  columns: readonly string[],
): Promise<{ ids: number[]; members: Member[] }> {
  let sources = predictions;
  if (!predictions[0]!.ids.some((id) => labelled.has(id))) {
    const beside = files.map((file) => join(dirname(file), "valid.csv"));
    const missing = beside.find((file) => !existsSync(file));
    if (missing)
      throw new CliError(
        `blend: expected predictions of labelled galaxies for --labels but none are in ${files[0]} and ${missing} is not there; run kaggle predict --split valid`,
      );
    sources = await Promise.all(beside.map((file) => readPredictions(file, { columns })));
    sameIds(beside, sources);
  }
  const ids = sources[0]!.ids.filter((id) => labelled.has(id));
  if (ids.length < 2)
    throw new CliError(
      `blend: expected at least 2 labelled galaxies in ${files[0]} but got ${ids.length}`,
    );
  return {
    ids,
    members: sources.map((p, i) => ({ name: names[i]!, values: rowsOf(p, ids, columns.length) })),
  };
}

/** Labels of a CSV in Kaggle's format, or of a data set. */
async function readLabels(
  source: string,
  tree: QuestionTree,
): Promise<Predictions & { testIds?: number[] }> {
  if (!existsSync(source) || source.endsWith(".csv"))
    return readPredictions(source, { columns: columnsOf(tree) });
  const dataset = await openDataset(source, { tree });
  await dataset.close();
  if (!dataset.labels) throw new CliError(`blend: expected labels in ${source} but found none`);
  return { ids: dataset.trainIds, values: dataset.labels, testIds: dataset.testIds };
}

/** The rows of these ids, in their order. */
function rowsOf({ ids, values }: Predictions, wanted: number[], width: number): Float32Array {
  const row = new Map(ids.map((id, i) => [id, i]));
  const out = new Float32Array(wanted.length * width);
  wanted.forEach((id, i) => {
    const at = row.get(id)! * width;
    out.set(values.subarray(at, at + width), i * width);
  });
  return out;
}

/** Reads what blendMembers wrote beside a submission, if it is there. */
export function readBlend(file: string): BlendResult | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as BlendResult) : undefined;
}
