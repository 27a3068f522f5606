import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { writeAtomic } from "../run/run.ts";
import { collect, openData, openRuns } from "./collect.ts";
import { takeEvaluationPictures } from "./evaluations.ts";
import { chooseGalaxies, takePictures } from "./gallery.ts";
import { page } from "./page.ts";

export interface ReportOptions {
  /** Run folders. */
  runs: string[];
  /** The HTML file. */
  out: string;
  /** Data set for labels and pictures; left out, where the first run was trained. */
  data?: string | undefined;
  /** A submission that blendMembers wrote (FILE.blend.json lies beside it). */
  blend?: string | undefined;
}

/** Writes one self-contained page about the runs. */
export async function writeReport({
  runs: folders,
  out,
  data: path,
  blend,
}: ReportOptions): Promise<void> {
  const runs = openRuns(folders);
  mkdirSync(dirname(out), { recursive: true });
  const dataset = await openData(runs, path);
  try {
    const data = await collect(runs, dataset, blend);
    const chosen = chooseGalaxies(data);
    const pictures = dataset ? await takePictures(dataset, data, chosen) : new Map();
    const evaluationPictures = await takeEvaluationPictures(data.evaluations, dataset);
    writeAtomic(out, page(data, chosen, pictures, evaluationPictures));
  } finally {
    await dataset?.close();
  }
}
