/** Members' predictions into one submission, and into FILE.blend.json all that was found out about them. */
import { resolve } from "node:path";
import {
  applyBlend,
  type BlendOptions as EnsembleOptions,
  errorCorrelation,
  leaveOneOut,
  rmse,
} from "@gz/ensemble";
import { columnsOf, writePredictions } from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import { meanLabel, splitRows } from "../images/split.ts";
import { type BlendResult, type BlendScores, writeBlend } from "./blend-result.ts";
import { type Labels, openLabels } from "./labels.ts";
import { type Rows, readMembers, treeOfMembers } from "./members.ts";
import { rowsOf } from "./rows.ts";
import { optionsOf, overfits, type Strategy, tryStrategies, type Weights } from "./strategies.ts";

export interface BlendOptions {
  /** Predictions files, or run folders (their predictions/valid.csv and test.csv). */
  members: string[];
  out: string;
  /** A CSV of labels, or a data set's path. */
  labels?: string | undefined;
  /** Default: with labels "auto", the lowest cross-validated RMSE; without, "uniform". */
  weights?: Weights | "auto" | undefined;
}

/** Reads, weighs, writes. Nothing is written when anything is wrong. */
export async function blendMembers({
  members: sources,
  out,
  labels: labelsSource,
  weights: asked,
}: BlendOptions): Promise<BlendResult> {
  if (asked !== undefined && asked !== "uniform" && !labelsSource)
    throw new CliError(`blend: expected --labels for weights "${asked}" but got none`);
  const tree = treeOfMembers(sources);
  const columns = columnsOf(tree);
  const labels = labelsSource ? await openLabels("blend", labelsSource, tree) : undefined;
  await labels?.dataset?.close();
  const { names, files, labelled, wanted } = await readMembers(sources, { columns, labels });
  if (files.flat().includes(resolve(out)))
    throw new CliError(`blend: expected another file than a member's for --out but got ${out}`);

  let strategy: Weights = "uniform";
  let weights = columns.map(() => names.map(() => 1 / names.length));
  let scores: BlendScores | undefined;
  const warnings: string[] = [];
  if (labels && labelled) {
    const truth = rowsOf(labels, labelled.ids)!;
    const { strategies, best, choice } = tryStrategies(labelled.members, truth, tree);
    const rows = labelled.ids.length;
    const found = strategies.find((s) => s.strategy === asked) ?? best;
    ({ strategy, weights } = found);
    scores = {
      labels: labels.source,
      rows,
      chosen: found.strategy === asked ? "as asked" : "by score",
      strategies,
      choice,
      members: valuesOf(labelled, truth, optionsOf(strategy, tree, rows)),
      correlation: errorCorrelation(labelled.members, truth),
    };
    warnings.push(...warningsOf(found, scores, names, labels, labelled, truth));
  }

  const members = wanted.members;
  await writePredictions(out, wanted.ids, applyBlend({ names, weights }, members), { columns });
  const result: BlendResult = {
    formatVersion: 3,
    submission: out,
    rows: wanted.ids.length,
    members: names.map((name, i) => ({ name, files: files[i]! })),
    strategy,
    weights,
    ...(scores && { scores }),
    warnings,
  };
  writeBlend(result);
  return result;
}

function valuesOf(
  { members }: Rows,
  truth: Float32Array,
  options: EnsembleOptions,
): BlendScores["members"] {
  if (members.length === 1) return [{ rmse: rmse(members[0]!.values, truth) }];
  return leaveOneOut(members, truth, options).map(({ name: _, ...value }) => value);
}

function warningsOf(
  found: Strategy,
  { rows, members }: BlendScores,
  names: readonly string[],
  labels: Labels,
  labelled: Rows,
  truth: Float32Array,
): string[] {
  const warnings: string[] = [];
  if (overfits(found, rows))
    warnings.push(
      `${found.strategy} weights will over-fit: ${found.fitted} weights are fitted to ${rows} galaxies, fewer than weights; take --weights uniform, or more labelled galaxies`,
    );
  if (labels.testIds) {
    const training = new Set(labels.ids.slice(0, splitRows(labels.ids.length).train));
    const seen = labelled.ids.filter((id) => training.has(id)).length;
    if (seen > 0)
      warnings.push(
        `${seen} of the ${rows} labelled galaxies are training galaxies of ${labels.source}: members may know them by heart, and scores and weights then flatter them`,
      );
  }
  const mean = meanLabel(truth, rows, truth.length / rows);
  const guess = rmse(
    truth.map((_, i) => mean[i % mean.length]!),
    truth,
  );
  for (const [i, member] of members.entries())
    if (member.rmse > guess)
      warnings.push(
        `${names[i]} scores ${member.rmse.toFixed(5)}, worse than the same mean answer for every galaxy (${guess.toFixed(5)}); check that its predictions are of these galaxies`,
      );
  return warnings;
}
