import { defineCommand } from "citty";
import {
  backendArg,
  checkpointArg,
  choiceArg,
  dataArg,
  dataPath,
  integerArg,
  partArg,
  refuseUnknown,
  threadsArg,
  workersArg,
} from "../cli/args.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { say } from "../cli/progress.ts";
import { CHECKPOINTS } from "../network/trained-weights.ts";
import { predictRun, SPLITS } from "../prediction/predict.ts";
import { readTransforms } from "../prediction/transforms.ts";
import { openRun } from "../run/run.ts";

const args = {
  run: { type: "string", description: "The run's folder", required: true, valueHint: "RUN" },
  data: dataArg,
  split: { type: "string", description: "valid, test or all", default: "test", valueHint: "SPLIT" },
  transforms: {
    type: "string",
    description: "60 (the winner's), 1, or a JSON file of zooms, rotations, flips, translations",
    default: "60",
    valueHint: "60|1|FILE",
  },
  checkpoint: checkpointArg,
  out: {
    type: "string",
    description: "The CSV (default: predictions/SPLIT.csv in the run)",
    valueHint: "FILE.csv",
  },
  part: {
    type: "string",
    description: "Only the Kth of N parts, for N machines; afterwards a call without joins them",
    valueHint: "K/N",
  },
  backend: backendArg,
  threads: threadsArg,
  workers: workersArg,
} as const;

export const predict = defineCommand({
  meta: { name: "predict", description: "A member's predictions, averaged over transforms." },
  args,
  async run({ args: given }) {
    refuseUnknown("predict", given, args);
    const split = choiceArg("predict", "split", given.split, SPLITS);
    const checkpoint = choiceArg("predict", "checkpoint", given.checkpoint, CHECKPOINTS);
    openRun(given.run); // says so first when it is no run
    const interrupt = onInterrupt(say);
    try {
      const files = await predictRun({
        run: given.run,
        data: dataPath("predict", given.data, given.run),
        split,
        checkpoint,
        transforms: readTransforms(given.transforms),
        out: given.out,
        part: partArg("predict", "part", given.part),
        backend: given.backend,
        threads: integerArg("predict", "threads", given.threads),
        workers: integerArg("predict", "workers", given.workers),
        signal: interrupt.signal,
      });
      for (const file of files) console.log(file);
    } finally {
      interrupt.release();
    }
  },
});
