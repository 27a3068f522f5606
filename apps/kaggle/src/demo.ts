/**
 * All of it in minutes: galaxies (rendered, unless a data set is given), three small members, predictions averaged over
 * turns and mirrors, a blend, a submission and the report.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { transforms } from "@gz/ensemble";
import { openDataset, writeSynthetic } from "@gz/galaxies";
import { blendMembers } from "./blending/blend.ts";
import { checkFree } from "./cli/free-folder.ts";
import { createProgress, say } from "./cli/progress.ts";
import { evaluateBlend } from "./evaluation/evaluation.ts";
import { predictRun } from "./prediction/predict.ts";
import { loadRecipe } from "./recipe/recipe.ts";
import { writeReport } from "./report/report.ts";
import { trainRun } from "./training/train.ts";

export interface DemoOptions {
  /** A data set; left out, galaxies are rendered into out/galaxies. */
  data?: string | undefined;
  out: string;
  /** Training minutes of all members together. */
  minutes: number;
  backend: string;
  signal: AbortSignal;
}

export interface DemoResult {
  submission: string;
  report: string;
}

const MEMBERS = 3;
const GALAXIES = { train: 1200, test: 150 };
/** Quarter turns and mirrors: eight of the winner's kind of transforms, in a tenth of his time. */
const TURNS = transforms({ rotations: [0, 90, 180, 270], flips: [false, true] });

/** Runs the demo in a folder that is new or empty; undefined when it was interrupted. */
export async function runDemo(options: DemoOptions): Promise<DemoResult | undefined> {
  const { out, backend, signal } = options;
  checkFree("demo", out);
  const data = resolve(options.data ?? (await renderGalaxies(join(out, "galaxies"), signal)));
  const recipe = loadRecipe("tiny");
  const budget = { minutes: options.minutes / MEMBERS };
  const runs: string[] = [];
  for (let seed = 1; seed <= MEMBERS; seed++) {
    const folder = join(out, `member-${seed}`);
    const { finished } = await trainRun({
      recipe,
      data,
      out: folder,
      budget,
      resume: false,
      backend,
      seed,
      workers: 1,
      checkpointSteps: undefined,
      signal,
    });
    if (!finished) return undefined;
    runs.push(folder);
  }
  const dataset = await openDataset(data);
  await dataset.close();
  const split = dataset.testIds.length > 0 ? "all" : "valid";
  for (const run of runs)
    await predictRun({ run, data, split, transforms: TURNS, backend, workers: 1, signal });
  const submission = join(out, "submission.csv");
  await blendMembers({ members: runs, out: submission, labels: data });
  await evaluateBlend(submission, data);
  const report = join(out, "report.html");
  await writeReport({ runs, out: report, data, blend: submission });
  return { submission, report };
}

async function renderGalaxies(folder: string, signal: AbortSignal): Promise<string> {
  const total = GALAXIES.train + GALAXIES.test;
  say(`rendering ${total} galaxies into ${folder}`);
  const progress = createProgress("render", total);
  try {
    await writeSynthetic(folder, {
      ...GALAXIES,
      seed: 1,
      onProgress: ({ done }) => progress.update(done),
      signal,
    });
  } finally {
    progress.stop();
  }
  return folder;
}

/** `folder`, or the first of folder-2, folder-3, … that does not exist yet: a demo overwrites nothing. */
export function freshFolder(folder: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? folder : `${folder}-${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}
