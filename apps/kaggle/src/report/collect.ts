/** Everything that the page shows, read from run folders, data set, predictions and blend, and nothing drawn yet. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { applyBlend, rmse } from "@gz/ensemble";
import { COLUMNS, type Dataset, openDataset, readPredictions } from "@gz/galaxies";
import { type BlendResult, blendFile, readBlend } from "../blending/blend-result.ts";
import { rowsOf } from "../blending/rows.ts";
import { CliError } from "../cli/errors.ts";
import { meanOf } from "../evaluation/scores.ts";
import { meanLabel, splitRows } from "../images/split.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { type Metrics, readMetrics } from "../run/metrics.ts";
import { openRun, type Run } from "../run/run.ts";
import { type Evaluated, readEvaluations } from "./evaluations.ts";

/** Predictions of the validation galaxies, and what they score. */
interface Scored {
  /** [galaxies, 37]. */
  values: Float32Array;
  rmse: number;
}

export interface RunReport {
  run: Run;
  /** The run's name, made unique among the runs. */
  name: string;
  metrics: Metrics;
  /** Mean over the transforms. */
  valid?: Scored;
  /** The untransformed galaxy alone. */
  single?: Scored;
}

/** The validation galaxies. */
interface Truth {
  ids: number[];
  /** [galaxies, 37]. */
  labels: Float32Array;
  /** The training galaxies' mean label for everyone: what any network has to beat. */
  baseline: Scored;
}

export interface ReportData {
  written: Date;
  runs: RunReport[];
  /** What they go on from, where it is still there and none of them. */
  starts: Pick<RunReport, "run" | "name" | "metrics">[];
  data: {
    path: string;
    name: string;
    synthetic: boolean;
    train: number;
    valid: number;
    test: number;
  };
  /** Left out where the data set is not to be had. */
  truth?: Truth;
  blend?: { file: string; result: BlendResult };
  /** What kaggle evaluate found: of the blend, then of the runs. */
  evaluations: Evaluated[];
  /** The predictions that errors and galleries are about, and whose they are. */
  judged?: Scored & { title: string };
}

/** The data set, undefined where none was named and the runs' own has gone elsewhere. */
export async function openData(
  runs: readonly Run[],
  path: string | undefined,
): Promise<Dataset | undefined> {
  const own = runs[0]!.info.data.path;
  if (path === undefined && !existsSync(own)) return undefined;
  return openDataset(path ?? own, dataOptions(runs[0]!.recipe));
}

export function openRuns(folders: readonly string[]): Run[] {
  if (folders.length === 0) throw new CliError("report: expected at least one run but got none");
  return folders.map((folder) => {
    const run = openRun(folder);
    if (typeof run.recipe.output.tree !== "string")
      throw new CliError(
        `report: expected runs of Kaggle's questions but ${folder} answers others`,
      );
    return run;
  });
}

export async function collect(
  runs: readonly Run[],
  dataset: Dataset | undefined,
  submission: string | undefined,
): Promise<ReportData> {
  const truth = dataset && truthOf(dataset);
  const blend = submission === undefined ? undefined : openBlend(submission);
  const reports: RunReport[] = [];
  for (const [i, run] of runs.entries()) {
    const valid = await scored(run, "valid.csv", truth);
    const single = await scored(run, "valid.single.csv", truth);
    reports.push({
      run,
      name: runs.some((other, j) => j < i && other.name === run.name)
        ? `${run.name}#${i + 1}`
        : run.name,
      metrics: readMetrics(run.metricsFile),
      ...(valid && { valid }),
      ...(single && { single }),
    });
  }
  const judged = truth && judge(reports, truth, blend?.result);
  const { path, train, valid } = runs[0]!.info.data;
  return {
    written: new Date(),
    runs: reports,
    starts: startsOf(runs),
    evaluations: readEvaluations(reports, blend),
    data: dataset
      ? {
          path: dataset.path,
          name: dataset.name,
          synthetic: isSynthetic(dataset),
          ...splitRows(dataset.trainIds.length),
          test: dataset.testIds.length,
        }
      : { path, name: basename(resolve(path)), synthetic: false, train, valid, test: 0 },
    ...(truth && { truth }),
    ...(blend && { blend }),
    ...(judged && { judged }),
  };
}

function startsOf(runs: readonly Run[]): ReportData["starts"] {
  const folders = new Set(runs.flatMap(({ info }) => info.from?.path ?? []));
  for (const { folder } of runs) folders.delete(resolve(folder));
  return [...folders]
    .filter((folder) => existsSync(join(folder, "run.json")))
    .map((folder) => {
      const run = openRun(folder);
      return { run, name: run.name, metrics: readMetrics(run.metricsFile) };
    });
}

function truthOf({ labels, trainIds }: Dataset): Truth | undefined {
  if (!labels) return undefined;
  const { train, valid } = splitRows(trainIds.length);
  if (valid === 0) return undefined;
  const mean = meanLabel(labels, train, COLUMNS.length);
  const truth = labels.slice(train * mean.length);
  const baseline = truth.map((_, i) => mean[i % mean.length]!);
  return {
    ids: trainIds.slice(train),
    labels: truth,
    baseline: { values: baseline, rmse: rmse(baseline, truth) },
  };
}

/** Undefined where the run has not predicted yet; other galaxies than the data set's are an error. */
async function scored(
  run: Run,
  name: string,
  truth: Truth | undefined,
): Promise<Scored | undefined> {
  const file = join(run.predictions, name);
  if (!truth || !existsSync(file)) return undefined;
  const values = rowsOf(await readPredictions(file), truth.ids);
  if (!values)
    throw new CliError(
      `report: expected the ${truth.ids.length} validation galaxies of the data set in ${file} but some are missing; predict again (kaggle predict --run ${run.folder} --split valid) or give the run's own --data`,
    );
  return { values, rmse: rmse(values, truth.labels) };
}

function openBlend(submission: string): NonNullable<ReportData["blend"]> {
  const result = readBlend(submission);
  if (!result)
    throw new CliError(
      `report: expected ${blendFile(submission)}, as kaggle blend writes it beside ${submission}, but it is not there`,
    );
  return { file: submission, result };
}

/** The blend if all of its members are here, else the members' mean, else the only member. */
function judge(
  runs: readonly RunReport[],
  { labels }: Truth,
  blend: BlendResult | undefined,
): ReportData["judged"] {
  const of = (title: string, values: Float32Array) => ({
    title,
    values,
    rmse: rmse(values, labels),
  });
  const members = blend?.members.map(({ name, files }) => {
    const folder = dirname(dirname(files[0]!));
    return { name, values: runs.find(({ run }) => resolve(run.folder) === folder)?.valid?.values };
  });
  if (blend && members?.every((member): member is Member => member.values !== undefined)) {
    const names = members.map(({ name }) => name);
    const { weights } = blend;
    return of(`the blend of ${members.length}`, applyBlend({ names, weights }, members));
  }
  const predicted = runs.flatMap(({ name, valid }) =>
    valid ? [{ name, values: valid.values }] : [],
  );
  if (predicted.length > 1)
    return of(
      `the mean of ${predicted.length} members`,
      meanOf(predicted.map(({ values }) => values)),
    );
  return predicted[0] && of(predicted[0].name, predicted[0].values);
}

type Member = { name: string; values: Float32Array };

/** writeSynthetic numbers its training galaxies 100000, 100002, … ; no survey does. */
function isSynthetic({ trainIds }: Dataset): boolean {
  return trainIds.length > 0 && trainIds.every((id, row) => id === 100_000 + 2 * row);
}
