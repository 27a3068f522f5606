/** What kaggle evaluate found about the blend and the runs of a report, and the pictures that go with it. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Dataset } from "@gz/galaxies";
import type { BlendResult } from "../blending/blend-result.ts";
import { CliError } from "../cli/errors.ts";
import {
  type Evaluation,
  evaluationFileIn,
  readBlendEvaluation,
  readEvaluation,
} from "../evaluation/evaluation-file.ts";
import type { Look } from "../evaluation/look.ts";
import { readSprite } from "../evaluation/sprite.ts";
import type { RunReport } from "./collect.ts";
import { dataUri, galaxyPicture, smoothPicture } from "./pictures.ts";

/** An evaluation, and whose it is. */
export interface Evaluated {
  title: string;
  /** What was evaluated: a run's folder, or a submission. */
  subject: string;
  evaluation: Evaluation;
  /** evaluation.json itself. */
  file: string;
  /** Where the predictions are others by now: what they score. */
  now?: number;
}

/** An evaluation of a network, with its look. */
export type LookedAt = Evaluated & { evaluation: { look: Look } };

/** RMSEs further apart than rounding are of different predictions. */
const SAME = 1e-6;

/** Those that there are: the blend's first, then the runs', the best first. */
export function readEvaluations(
  runs: readonly RunReport[],
  blend: { file: string; result: BlendResult } | undefined,
): Evaluated[] {
  const ofRuns = runs.flatMap(({ name, run, valid }): Evaluated[] => {
    const file = evaluationFileIn(run.folder);
    const evaluation = readEvaluation(file);
    if (!evaluation) return [];
    const rows = valid && valid.values.length / evaluation.judgement.answers.length;
    const now = isSame(evaluation, rows, valid?.rmse) ? {} : { now: valid!.rmse };
    return [{ title: name, subject: run.folder, evaluation, file, ...now }];
  });
  return [
    ...(blend ? ofBlend(blend.file, blend.result) : []),
    ...ofRuns.sort((a, b) => a.evaluation.judgement.rmse - b.evaluation.judgement.rmse),
  ];
}

function ofBlend(submission: string, { scores, strategy }: BlendResult): Evaluated[] {
  const found = readBlendEvaluation(submission);
  if (!found) return [];
  const rmse = scores?.strategies.find((own) => own.strategy === strategy)?.rmse;
  const now = isSame(found.evaluation, scores?.rows, rmse) ? {} : { now: rmse! };
  return [{ title: "the blend", subject: submission, ...found, ...now }];
}

/** Whether an evaluation may be of predictions that score this over so many galaxies; of other galaxies it may be. */
function isSame(
  { judgement }: Evaluation,
  rows: number | undefined,
  rmse: number | undefined,
): boolean {
  return (
    rmse === undefined || rows !== judgement.galaxies || Math.abs(rmse - judgement.rmse) < SAME
  );
}

/** The best network that was looked at. */
export function lookedAt(evaluations: readonly Evaluated[]): LookedAt | undefined {
  return evaluations.find((found): found is LookedAt => found.evaluation.look !== undefined);
}

/** Data URIs. */
export interface EvaluationPictures {
  /** By GalaxyID; without those that the data set does not have. */
  large: ReadonlyMap<number, string>;
  small: ReadonlyMap<number, string>;
  filters: string[];
  maximised: string[];
}

/** Galaxies shown for each unit. */
export const EXCITING = 3;

const LARGE = 160;
const SMALL = 72;
const MAXIMISED = 112;

/**
 * Pictures of the first evaluation's mistakes and of the looked-at network. Throws a CliError that names a file of
 * pictures that is not as evaluation.json says.
 */
export async function takeEvaluationPictures(
  evaluations: readonly Evaluated[],
  dataset: Dataset | undefined,
): Promise<EvaluationPictures> {
  const looked = lookedAt(evaluations);
  const look = looked?.evaluation.look;
  const large = [
    ...(evaluations[0]?.evaluation.mistakes ?? []),
    ...(look?.equivariance.examples ?? []),
  ].map(({ id }) => id);
  const small = (look?.units ?? []).flatMap(({ galaxies }) =>
    galaxies.slice(0, EXCITING).map(({ id }) => id),
  );
  const tiles = async (sprite: Look["maximised"] | undefined) =>
    sprite ? readTiles(looked!.file, sprite) : [];
  const maximised = await tiles(look?.maximised);
  return {
    large: await galaxyPictures(dataset, large, LARGE),
    small: await galaxyPictures(dataset, small, SMALL),
    filters: (await tiles(look?.filters)).map((png) => dataUri("png", png)),
    maximised: await Promise.all(maximised.map((png) => smoothPicture(png, MAXIMISED))),
  };
}

async function galaxyPictures(
  dataset: Dataset | undefined,
  ids: readonly number[],
  size: number,
): Promise<Map<number, string>> {
  const known = new Set(dataset?.trainIds);
  const pictures = new Map<number, string>();
  for (const id of new Set(ids))
    if (known.has(id)) pictures.set(id, await galaxyPicture(dataset!, id, size));
  return pictures;
}

async function readTiles(
  evaluation: string,
  { file, count, side }: Look["maximised"],
): Promise<Buffer[]> {
  const path = join(dirname(evaluation), file);
  if (!existsSync(path))
    throw new CliError(
      `report: expected ${path}, as ${evaluation} says, but it is not there; evaluate again`,
    );
  try {
    return await readSprite(path, count, side);
  } catch (error) {
    throw new CliError(
      `report: expected ${count} pictures of ${side} x ${side} pixels in ${path} but could not read them (${(error as Error).message}); evaluate again`,
    );
  }
}
