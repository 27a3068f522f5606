/** evaluation.json: what kaggle evaluate found out, and kaggle report shows. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import * as v from "valibot";
import { CliError } from "../cli/errors.ts";
import { readJson } from "../cli/json.ts";
import { writeAtomic } from "../run/run.ts";
import type { Contradiction } from "./agreement.ts";
import type { Judgement } from "./judgement.ts";
import type { Look } from "./look.ts";

const VERSION = 2;

/** A contradiction by the galaxy's GalaxyID. */
export type Mistake = Omit<Contradiction, "row"> & { id: number };

/** What evaluation.json holds, beside its format version. */
export interface Evaluation {
  name: string;
  /** The predictions file, of a blend the submission, and where the labels came from; absolute paths. */
  predictions: string;
  labels: string;
  /** The questions of the labels: what the lists in `judgement` go by. */
  tree: QuestionTree;
  judgement: Judgement;
  /** The worst contradictions of clear majorities, the worst first. */
  mistakes: Mistake[];
  /** Of a blend: how many weights were fitted to these labels, so that its figures flatter; left out for none. */
  fitted?: number;
  /** Of a run whose network was looked at. */
  look?: Look;
}

/** Where the evaluation of a predictions file, or of a submission, lies: FILE.evaluation.json beside FILE.csv. */
export const evaluationFileOf = (csv: string): string =>
  `${csv.replace(/\.csv$/, "")}.evaluation.json`;

/** Where the evaluation of a run lies, or of whatever was evaluated into this folder. */
export const evaluationFileIn = (folder: string): string => join(folder, "evaluation.json");

/** Writes the file whole or not at all, and its folder. */
export function writeEvaluation(file: string, evaluation: Evaluation): void {
  mkdirSync(dirname(file), { recursive: true });
  writeAtomic(file, `${JSON.stringify({ formatVersion: VERSION, ...evaluation }, null, 1)}\n`);
}

/**
 * The evaluation of a submission that kaggle blend wrote: beside it, or, where kaggle evaluate was given --out, in its
 * folder; undefined if there is none.
 */
export function readBlendEvaluation(
  submission: string,
): { evaluation: Evaluation; file: string } | undefined {
  for (const file of [evaluationFileOf(submission), evaluationFileIn(dirname(submission))]) {
    const evaluation = readEvaluation(file);
    if (evaluation?.predictions === resolve(submission)) return { evaluation, file };
  }
  return undefined;
}

/** Reads an evaluation, if it is there; a CliError names the file and what in it is not as `kaggle evaluate` writes it. */
export function readEvaluation(file: string): Evaluation | undefined {
  if (!existsSync(file)) return undefined;
  const value = readJson("evaluate", file);
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (version !== VERSION)
    throw new CliError(
      `evaluate: expected format version ${VERSION} in ${file} but got ${version}; evaluate again`,
    );
  const result = v.safeParse(schema, value);
  if (!result.success) {
    const [issue] = result.issues;
    throw malformed(file, issue.expected ?? "", v.getDotPath(issue) ?? "", issue.received);
  }
  checkLengths(result.output, file);
  return result.output;
}

function malformed(file: string, expected: string, path: string, got: unknown): CliError {
  return new CliError(
    `evaluate: expected ${expected} for ${path} in ${file} but got ${got}; evaluate again`,
  );
}

/** Lists go by the tree's questions or columns. */
function checkLengths({ tree, judgement, look }: Evaluation, file: string): void {
  const questions = tree.length;
  const expected: [path: string, list: readonly unknown[], length: number][] = [
    ["judgement.questions", judgement.questions, questions],
    ["judgement.answers", judgement.answers, columnsOf(tree).length],
    ["judgement.agreement", judgement.agreement, questions],
    ["judgement.questionReliability", judgement.questionReliability, questions],
    ["judgement.violation.questions", judgement.violation.questions, questions],
    ...(look
      ? ([
          ["look.equivariance.questions", look.equivariance.questions, questions],
          ["look.units", look.units, look.maximised.count],
        ] as typeof expected)
      : []),
  ];
  for (const [path, list, length] of expected)
    if (list.length !== length)
      throw malformed(file, `${length} entries`, path, String(list.length));
}

const number = v.number();
const texts = v.array(v.string());
const spread = { before: number, after: number };
const reliability = v.object({
  bins: v.array(
    v.object({ from: number, to: number, count: number, predicted: number, observed: number }),
  ),
  calibrationError: number,
});
const extreme = v.object({
  labels: number,
  mean: v.exactOptional(number),
  rmse: v.exactOptional(number),
  near: v.exactOptional(number),
  exact: v.exactOptional(number),
  errorShare: v.exactOptional(number),
});
const sprite = v.object({ file: v.string(), count: number, side: number });
const look = v.object({
  searched: number,
  equivariance: v.object({
    galaxies: number,
    ...spread,
    questions: v.array(v.object(spread)),
    examples: v.array(
      v.object({
        id: number,
        column: number,
        label: number,
        plain: v.array(number),
        mirrored: v.array(number),
      }),
    ),
  }),
  filters: v.exactOptional(sprite),
  maximised: sprite,
  units: v.array(
    v.object({
      kind: v.picklist(["answer", "feature"]),
      index: number,
      towards: v.array(number),
      galaxies: v.array(v.object({ id: number, value: number })),
    }),
  ),
});
const schema: v.GenericSchema<unknown, Evaluation> = v.object({
  name: v.string(),
  predictions: v.string(),
  labels: v.string(),
  tree: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        text: v.exactOptional(v.string()),
        answers: texts,
        answerTexts: v.exactOptional(texts),
        parents: v.exactOptional(texts),
      }),
    ),
    v.minLength(1),
  ),
  judgement: v.object({
    galaxies: number,
    rmse: number,
    questions: v.array(number),
    answers: v.array(number),
    agreement: v.array(
      v.object({
        question: v.string(),
        asked: number,
        points: v.array(
          v.object({ threshold: number, galaxies: number, accuracy: number, commonest: number }),
        ),
      }),
    ),
    reliability,
    questionReliability: v.array(reliability),
    zeros: extreme,
    ones: extreme,
    violation: v.object({ questions: v.array(number), sum: number, range: number }),
  }),
  mistakes: v.array(
    v.object({
      id: number,
      question: v.string(),
      volunteers: number,
      network: number,
      votes: v.tuple([number, number]),
      predicted: v.tuple([number, number]),
    }),
  ),
  fitted: v.exactOptional(number),
  look: v.exactOptional(look),
});
