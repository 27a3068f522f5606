import { writeAtomic } from "../run.ts";

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
export async function writeReport({ out }: ReportOptions): Promise<void> {
  writeAtomic(out, "<!doctype html>\n");
}
