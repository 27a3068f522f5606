/** What the runs of an experiments folder say so far, as plain data: experiments.json. */
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { rmse } from "@gz/ensemble";
import { openDataset, readPredictions } from "@gz/galaxies";
import { rowsOf } from "../blending/rows.ts";
import { CliError } from "../cli/errors.ts";
import { splitRows } from "../images/split.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { columnsOfRecipe } from "../recipe/question-tree.ts";
import { type Ensemble, isPredicted, memberFolder } from "../reproduce/folder.ts";
import { readMetrics, throughput } from "../run/metrics.ts";
import { openRun } from "../run/run.ts";
import { type Estimate, estimate, pairedDifference, type Verdict, verdictOf } from "./compare.ts";
import type { Experiments } from "./experiments-file.ts";
import { memberName } from "./plan.ts";

/** A run that is trained and predicted. */
export interface SeedResult {
  seed: number;
  /** Of the validation part, each galaxy predicted once, as it is. */
  rmse: number;
  steps: number;
  /** Milliseconds of a step: the median, and the mean wait for its batch. */
  stepMs: number;
  /** Training time, without validation and saving. */
  minutes: number;
}

export interface VariantResult {
  name: string;
  about: string;
  reported?: string | undefined;
  /** In the order of seeds; those that are not done are left out. */
  runs: SeedResult[];
  rmse?: Estimate;
  /** Less the base, seed by seed; the base has none. */
  difference?: Estimate & { verdict: Verdict };
}

export interface ExperimentsResult {
  formatVersion: 1;
  about: string;
  /** That gives the same again. */
  command: string;
  budget: string;
  seeds: number;
  machine: string;
  backend: string;
  data: { name: string; train: number; valid: number };
  /** The base first. */
  variants: VariantResult[];
}

export async function collectResults(
  ensemble: Ensemble,
  { about, variants }: Experiments,
  { seeds, command }: { seeds: number; command: string },
): Promise<ExperimentsResult> {
  const base = variants[0]!;
  const dataset = await openDataset(ensemble.data, dataOptions(base.recipe));
  try {
    const { train, valid } = splitRows(dataset.trainIds.length);
    const width = columnsOfRecipe(base.recipe).length;
    const truth = {
      ids: dataset.trainIds.slice(train),
      labels: dataset.labels!.slice(train * width),
    };
    const results: VariantResult[] = [];
    let backend = "";
    for (const { name, about, reported } of variants) {
      const runs: SeedResult[] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        const member = { name: memberName(name, seed) };
        const planned = ensemble.planned.find((one) => one.name === member.name);
        if (!planned || !isPredicted(ensemble, planned)) continue;
        const run = openRun(memberFolder(ensemble, planned));
        backend ||= run.info.backend;
        const speed = throughput(readMetrics(run.metricsFile));
        runs.push({
          seed,
          rmse: await scoreOf(join(run.predictions, "valid.csv"), truth, planned.recipe),
          steps: speed?.steps ?? 0,
          stepMs: (speed?.stepMs ?? 0) + (speed?.waitMs ?? 0),
          minutes: speed?.minutes ?? 0,
        });
      }
      const difference = results.length > 0 ? pairedDifference(runs, results[0]!.runs) : undefined;
      results.push({
        name,
        about,
        ...(reported && { reported }),
        runs,
        ...(runs.length > 0 && { rmse: estimate(runs.map((run) => run.rmse)) }),
        ...(difference && { difference: { ...difference, verdict: verdictOf(difference) } }),
      });
    }
    return {
      formatVersion: 1,
      about,
      command,
      budget: ensemble.budget,
      seeds,
      machine: `${cpus()[0]?.model.trim() ?? "an unknown processor"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
      backend,
      data: { name: dataset.name, train, valid },
      variants: results,
    };
  } finally {
    await dataset.close();
  }
}

async function scoreOf(
  file: string,
  { ids, labels }: { ids: readonly number[]; labels: Float32Array },
  recipe: Parameters<typeof columnsOfRecipe>[0],
): Promise<number> {
  const predictions = await readPredictions(file, { columns: columnsOfRecipe(recipe) });
  const values = rowsOf(predictions, ids);
  if (!values)
    throw new CliError(
      `experiments: expected the ${ids.length} validation galaxies of the data set in ${file} but some are missing`,
    );
  return rmse(values, labels);
}
