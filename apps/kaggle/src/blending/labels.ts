/** Labels that predictions are judged by, and blends fitted to. */
import { existsSync } from "node:fs";
import {
  columnsOf,
  type Dataset,
  type Fit,
  openDataset,
  type Predictions,
  type QuestionTree,
  readPredictions,
} from "@gz/galaxies";
import { CliError } from "../cli/errors.ts";
import { fingerprintOf } from "../run/origin.ts";

export interface Labels extends Predictions {
  /** Where they come from, for messages. */
  source: string;
  /** The ids. */
  known: ReadonlySet<number>;
  /** Of a data set: the set itself, open. */
  dataset?: Dataset;
  /** Of a data set: its test galaxies, if it has any. */
  testIds?: readonly number[];
  /** Of a data set: what tells it from others. */
  fingerprint?: string;
}

/**
 * Labels of a CSV in Kaggle's format, or of a data set, which the caller closes. Throws a CliError of the caller's
 * that names the source where it is not there or has no labels; other errors name file and row.
 */
export async function openLabels(
  caller: string,
  source: string,
  tree: QuestionTree,
  fit: Fit = "exact",
): Promise<Labels> {
  if (!existsSync(source))
    throw new CliError(`${caller}: expected labels in ${source} but it is not there`);
  if (source.endsWith(".csv")) {
    const table = await readPredictions(source, { columns: columnsOf(tree) });
    return { source, ...table, known: new Set(table.ids) };
  }
  const dataset = await openDataset(source, { tree, fit });
  const { trainIds: ids, testIds, labels: values } = dataset;
  const fingerprint = fingerprintOf(dataset);
  if (values && fingerprint)
    return { source, ids, values, known: new Set(ids), dataset, testIds, fingerprint };
  await dataset.close();
  throw new CliError(`${caller}: expected labels in ${source} but found none`);
}
