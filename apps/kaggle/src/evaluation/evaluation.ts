/** Judges predictions, and the network behind them, and keeps what it found as evaluation.json. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { applyBlend } from "@gz/ensemble";
import {
  columnsOf,
  type Dataset,
  openDataset,
  type Predictions,
  type QuestionTree,
  readPredictions,
} from "@gz/galaxies";
import { type BlendResult, readBlend } from "../blending/blend-result.ts";
import { type Labels, openLabels } from "../blending/labels.ts";
import { readMembers, treeOfMembers } from "../blending/members.ts";
import { rowsOf } from "../blending/rows.ts";
import { refuseOtherData } from "../blending/same-galaxies.ts";
import { CliError } from "../cli/errors.ts";
import { say } from "../cli/progress.ts";
import { chooseBackend } from "../machine/backend.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { labelTreeOf, treeOf } from "../recipe/question-tree.ts";
import { openRun, type Run } from "../run/run.ts";
import { contradictions } from "./agreement.ts";
import {
  type Evaluation,
  evaluationFileIn,
  evaluationFileOf,
  writeEvaluation,
} from "./evaluation-file.ts";
import { judge } from "./judgement.ts";
import { type Look, look } from "./look.ts";

/** Mistakes that are kept. */
const MISTAKES = 12;

export interface EvaluateOptions {
  /** Run folders (their predictions/valid.csv), predictions files, and submissions that kaggle blend wrote. */
  subjects: readonly string[];
  /** A data set, or a CSV of labels; left out, the data set of each run. */
  labels?: string | undefined;
  /** Folder for evaluation.json; left out, the run's own, and FILE.evaluation.json beside a file. */
  out?: string | undefined;
  /** How to look at the runs' networks; left out, only predictions are judged. */
  look?: LookingOptions | undefined;
}

interface LookingOptions {
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
    const evaluation = await evaluateSubject(subject, options.look);
    writeEvaluation(subject.file, evaluation);
    yield { evaluation, file: subject.file };
  }
}

/** Judges a submission that kaggle blend wrote, for its report. */
export async function evaluateBlend(submission: string, labels: string): Promise<void> {
  await evaluate({ subjects: [submission], labels }).next();
}

interface Subject {
  name: string;
  predictions: string;
  labels: string;
  run?: Run;
  blend?: BlendResult;
  /** Where the evaluation goes. */
  file: string;
}

function openSubject(subject: string, { labels, out }: EvaluateOptions): Subject {
  if (!existsSync(subject))
    throw new CliError(
      `evaluate: expected a run or a predictions file but ${subject} is not there`,
    );
  const run = statSync(subject).isDirectory() ? openRun(subject) : undefined;
  const blend = run ? undefined : readBlend(subject);
  const source =
    labels ?? run?.info.data.path ?? blend?.scores?.labels ?? process.env.GALAXY_ZOO_DIR;
  if (!source)
    throw new CliError(
      `evaluate: expected labels for ${subject} (--labels, or GALAXY_ZOO_DIR) but got none`,
    );
  const predictions = run ? join(run.predictions, "valid.csv") : subject;
  if (!existsSync(predictions))
    throw new CliError(
      `evaluate: ${subject} has no predictions of validation galaxies yet; run kaggle predict --run ${subject} --split valid`,
    );
  const own = run ? evaluationFileIn(run.folder) : evaluationFileOf(subject);
  return {
    name: run?.name ?? basename(subject, ".csv"),
    predictions,
    labels: source,
    ...(run && { run }),
    ...(blend && { blend }),
    file: out === undefined ? own : evaluationFileIn(out),
  };
}

async function evaluateSubject(
  { name, predictions, labels: source, run, blend, file }: Subject,
  looking: LookingOptions | undefined,
): Promise<Evaluation> {
  const tree = run ? labelTreeOf(run.recipe) : treeOfMembers(filesOf(blend) ?? [predictions]);
  const labels = await openLabels("evaluate", source, tree, run?.recipe.input.fit);
  try {
    const { ids, values } = blend
      ? await blendedRows(blend, labels, tree)
      : await labelledRows(predictions, labels, tree);
    const truth = rowsOf(labels, ids)!;
    const fitted = blend?.scores?.strategies.find((s) => s.strategy === blend.strategy)?.fitted;
    return {
      name,
      predictions: resolve(predictions),
      labels: resolve(source),
      tree,
      judgement: judge(values, truth, tree, run && treeOf(run.recipe)),
      mistakes: contradictions(values, truth, tree, MISTAKES).map(({ row, ...mistake }) => ({
        id: ids[row]!,
        ...mistake,
      })),
      ...(fitted && { fitted }),
      ...(run && looking && (await lookAt(run, labels.dataset, dirname(file), looking))),
    };
  } finally {
    await labels.dataset?.close();
  }
}

/** A file's rows of galaxies with labels. */
async function labelledRows(
  file: string,
  labels: Labels,
  tree: QuestionTree,
): Promise<Predictions> {
  refuseOtherData("evaluate", [file], labels);
  const predicted = await readPredictions(file, { columns: columnsOf(tree) });
  const ids = predicted.ids.filter((id) => labels.known.has(id));
  if (ids.length === 0)
    throw new CliError(
      `evaluate: expected predictions of galaxies with labels in ${labels.source} but none of the ${predicted.ids.length} in ${file} has one`,
    );
  return { ids, values: rowsOf(predicted, ids)! };
}

/** Where a blend's members have their predictions of labelled galaxies, or have them beside. */
function filesOf(blend: BlendResult | undefined): string[] | undefined {
  return blend?.members.map(({ files }) => files.at(-1)!);
}

/** A submission is of galaxies without labels; its weights are applied to the members' predictions of those with. */
async function blendedRows(
  blend: BlendResult,
  labels: Labels,
  tree: QuestionTree,
): Promise<Predictions> {
  const { names, labelled } = await readMembers(filesOf(blend)!, {
    columns: columnsOf(tree),
    labels,
  });
  const { ids, members } = labelled!;
  return { ids, values: applyBlend({ names, weights: blend.weights }, members) };
}

async function lookAt(
  run: Run,
  given: Dataset | undefined,
  folder: string,
  { images, backend, workers, signal }: LookingOptions,
): Promise<{ look: Look } | undefined> {
  const own = run.info.data.path;
  if (!given && !existsSync(own)) {
    say(`${run.name}: no images of its galaxies (${own} is not there), so no pictures`);
    return undefined;
  }
  const dataset = given ?? (await openDataset(own, dataOptions(run.recipe)));
  try {
    const { line } = await chooseBackend(backend);
    say(`${run.name}: looking at the network on ${line}`);
    return { look: await look({ run, dataset, images, workers, folder, signal }) };
  } finally {
    if (!given) await dataset.close();
  }
}
