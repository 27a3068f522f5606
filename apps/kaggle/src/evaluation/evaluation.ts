/** Judges predictions, and the network behind them, and keeps what it found as evaluation.json. */
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  columnsOf,
  type Dataset,
  KAGGLE_TREE,
  openDataset,
  type Predictions,
  type QuestionTree,
  readPredictions,
} from "@gz/galaxies";
import { chooseBackend } from "../backend.ts";
import { CliError } from "../errors.ts";
import { say } from "../progress.ts";
import { labelTreeOf, treeOf } from "../question-tree.ts";
import { rowsOf } from "../rows.ts";
import { openRun, type Run, writeAtomic } from "../run.ts";
import { type Judgement, judge } from "./judgement.ts";
import { type Look, look } from "./look.ts";

/** What evaluation.json holds. */
export interface Evaluation {
  formatVersion: 1;
  name: string;
  /** The predictions file, and where the labels came from. */
  predictions: string;
  labels: string;
  /** The questions of the labels: what the lists in `judgement` go by. */
  tree: QuestionTree;
  judgement: Judgement;
  /** Of a run whose network was looked at. */
  look?: Look;
}

export interface EvaluateOptions {
  /** Run folders (their predictions/valid.csv) and predictions files. */
  subjects: readonly string[];
  /** A data set, or a CSV of labels; left out, the data set of each run. */
  labels: string | undefined;
  /** Folder for evaluation.json; left out, the run's own, and FILE.evaluation.json beside a predictions file. */
  out: string | undefined;
  /** Whether to look at the networks too. */
  pictures: boolean;
  images: number | undefined;
  backend: string;
  workers: number | undefined;
  signal: AbortSignal;
}

/** Evaluates one after the other; each file is written as soon as it is known. */
export async function* evaluate(
  options: EvaluateOptions,
): AsyncGenerator<{ evaluation: Evaluation; file: string }> {
  const { subjects, out } = options;
  if (subjects.length === 0)
    throw new CliError("evaluate: expected at least one run or predictions file but got none");
  if (out !== undefined && subjects.length > 1)
    throw new CliError(
      `evaluate: expected one run or predictions file for --out but got ${subjects.length}`,
    );
  // Whatever can be wrong with an argument is said before the first minute is spent.
  const opened = subjects.map((subject) => openSubject(subject, options));
  for (const subject of opened) {
    const evaluation = await evaluateSubject(subject, options);
    mkdirSync(dirname(subject.file), { recursive: true });
    writeAtomic(subject.file, `${JSON.stringify(evaluation, null, 1)}\n`);
    yield { evaluation, file: subject.file };
  }
}

interface Subject {
  name: string;
  predictions: string;
  labels: string;
  run?: Run;
  /** Where the evaluation goes. */
  file: string;
}

function openSubject(subject: string, { labels, out }: EvaluateOptions): Subject {
  if (!existsSync(subject))
    throw new CliError(
      `evaluate: expected a run or a predictions file but ${subject} is not there`,
    );
  const run = statSync(subject).isDirectory() ? openRun(subject) : undefined;
  const source = labels ?? run?.info.data.path ?? process.env.GALAXY_ZOO_DIR;
  if (!source)
    throw new CliError(
      `evaluate: expected labels for ${subject} (--labels, or GALAXY_ZOO_DIR) but got none`,
    );
  const predictions = run ? join(run.predictions, "valid.csv") : subject;
  if (!existsSync(predictions))
    throw new CliError(
      `evaluate: ${subject} has no predictions of validation galaxies yet; run kaggle predict --run ${subject} --split valid`,
    );
  const own = run
    ? join(run.folder, "evaluation.json")
    : `${subject.replace(/\.csv$/, "")}.evaluation.json`;
  return {
    name: run?.name ?? basename(subject, ".csv"),
    predictions,
    labels: source,
    ...(run && { run }),
    file: out === undefined ? own : join(out, "evaluation.json"),
  };
}

async function evaluateSubject(
  { name, predictions, labels, run, file }: Subject,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const tree = run ? labelTreeOf(run.recipe) : KAGGLE_TREE;
  const truth = await openLabels(labels, tree);
  try {
    const predicted = await readPredictions(predictions, { columns: columnsOf(tree) });
    const known = new Set(truth.ids);
    const ids = predicted.ids.filter((id) => known.has(id));
    if (ids.length === 0)
      throw new CliError(
        `evaluate: expected predictions of galaxies with labels in ${labels} but none of the ${predicted.ids.length} in ${predictions} has one`,
      );
    const judgement = judge(
      rowsOf(predicted, ids)!,
      rowsOf(truth, ids)!,
      tree,
      run && treeOf(run.recipe),
    );
    return {
      formatVersion: 1,
      name,
      predictions: resolve(predictions),
      labels: resolve(labels),
      tree,
      judgement,
      ...(run && options.pictures && (await lookAt(run, truth.dataset, dirname(file), options))),
    };
  } finally {
    await truth.dataset?.close();
  }
}

async function lookAt(
  run: Run,
  given: Dataset | undefined,
  folder: string,
  { images, backend, workers, signal }: EvaluateOptions,
): Promise<{ look: Look } | undefined> {
  const own = run.info.data.path;
  if (!given && !existsSync(own)) {
    say(`${run.name}: no images of its galaxies (${own} is not there), so no pictures`);
    return undefined;
  }
  const dataset = given ?? (await openDataset(own, { tree: labelTreeOf(run.recipe) }));
  try {
    const { line } = await chooseBackend(backend);
    say(`${run.name}: looking at the network on ${line}`);
    return { look: await look({ run, dataset, images, workers, folder, signal }) };
  } finally {
    if (!given) await dataset.close();
  }
}

/** Labels of a CSV in Kaggle's format, or of a data set, which is left open. */
async function openLabels(
  source: string,
  tree: QuestionTree,
): Promise<Predictions & { dataset?: Dataset }> {
  if (!existsSync(source))
    throw new CliError(`evaluate: expected labels in ${source} but it is not there`);
  if (source.endsWith(".csv")) return readPredictions(source, { columns: columnsOf(tree) });
  const dataset = await openDataset(source, { tree });
  if (dataset.labels) return { ids: dataset.trainIds, values: dataset.labels, dataset };
  await dataset.close();
  throw new CliError(`evaluate: expected labels in ${source} but found none`);
}

/** Reads an evaluation from a folder, if it is there. */
export function readEvaluation(folder: string): Evaluation | undefined {
  const file = join(folder, "evaluation.json");
  if (!existsSync(file)) return undefined;
  const evaluation = JSON.parse(readFileSync(file, "utf8")) as Evaluation;
  if (evaluation.formatVersion !== 1)
    throw new CliError(
      `evaluate: expected format version 1 in ${file} but got ${evaluation.formatVersion}`,
    );
  return evaluation;
}
