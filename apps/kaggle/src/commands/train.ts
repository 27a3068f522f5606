import { isDeepStrictEqual } from "node:util";
import { defineCommand } from "citty";
import {
  backendArg,
  dataArg,
  dataPath,
  fractionArg,
  integerArg,
  positiveArg,
  refuseUnknown,
  threadsArg,
  workersArg,
} from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { say } from "../cli/progress.ts";
import { weightsFrom } from "../network/trained-weights.ts";
import { loadRecipe } from "../recipe/recipe.ts";
import { openRun, type Run } from "../run/run.ts";
import { PSEUDO_DEFAULTS, type PseudoLabelOptions } from "../training/pseudo-labels.ts";
import { trainRun } from "../training/train.ts";

const args = {
  recipe: {
    type: "string",
    description:
      "modern, modern-centred, modern-narrow-centred, fast, best, tiny, one of the winner's other networks, or a JSON file (default: modern, or that of --from)",
    valueHint: "NAME|FILE",
  },
  data: dataArg,
  out: { type: "string", description: "The run's folder", required: true, valueHint: "RUN" },
  steps: { type: "string", description: "Train for N steps", valueHint: "N" },
  minutes: { type: "string", description: "Train for M minutes", valueHint: "M" },
  from: {
    type: "string",
    description: "Fine-tune: start from the weights of another run, or of an exported one",
    valueHint: "RUN|FILE",
  },
  "pseudo-labels": {
    type: "string",
    description: "Learn from test images too: predictions of them, such as a blend's",
    valueHint: "FILE.csv",
  },
  "pseudo-share": {
    type: "string",
    description: "Their part of a batch (default: 0.33)",
    valueHint: "S",
  },
  "pseudo-weight": {
    type: "string",
    description: "What one counts in the loss beside a labelled galaxy (default: 1)",
    valueHint: "W",
  },
  "pseudo-from": {
    type: "string",
    description: "The fraction of the steps after which they come in (default: 0)",
    valueHint: "F",
  },
  resume: { type: "boolean", description: "Go on with a run that was stopped", default: false },
  backend: backendArg,
  threads: threadsArg,
  seed: {
    type: "string",
    description: "Seed of every random number (default: 1)",
    valueHint: "N",
  },
  workers: workersArg,
  "checkpoint-steps": {
    type: "string",
    description: "Save every N steps (default: every 2 minutes)",
    valueHint: "N",
  },
  profile: {
    type: "boolean",
    description: "Tell where the time of 20 steps goes, and write profile.json for ui.perfetto.dev",
    default: false,
  },
} as const;

export const train = defineCommand({
  meta: { name: "train", description: "Train one model of a recipe; Ctrl-C saves." },
  args,
  async run({ args: given }) {
    refuseUnknown("train", given, args);
    const steps = integerArg("train", "steps", given.steps);
    const minutes = positiveArg("train", "minutes", given.minutes);
    if (steps !== undefined && minutes !== undefined)
      throw new CliError("train: expected --steps or --minutes but got both");
    if (given.from !== undefined && given.resume)
      throw new CliError("train: expected --from or --resume (which keeps its own) but got both");
    const pseudoLabels = pseudoLabelsArg(given);
    const seed = integerArg("train", "seed", given.seed, 0);
    if (given.resume) sameAsStarted(openRun(given.out), { recipe: given.recipe, seed });
    const recipe =
      given.recipe === undefined && given.from !== undefined
        ? (await weightsFrom(given.from)).recipe
        : loadRecipe(given.recipe ?? "modern");
    const interrupt = onInterrupt(say);
    try {
      const { finished } = await trainRun({
        recipe,
        from: given.from,
        pseudoLabels,
        data: dataPath("train", given.data, given.resume ? given.out : undefined),
        out: given.out,
        ...(steps !== undefined && { budget: { steps } }),
        ...(minutes !== undefined && { budget: { minutes } }),
        resume: given.resume,
        backend: given.backend,
        threads: integerArg("train", "threads", given.threads),
        seed: seed ?? 1,
        workers: integerArg("train", "workers", given.workers),
        checkpointSteps: integerArg("train", "checkpoint-steps", given["checkpoint-steps"]),
        profile: given.profile,
        signal: interrupt.signal,
      });
      return finished ? 0 : 130;
    } finally {
      interrupt.release();
    }
  },
});

/** A run keeps its recipe and its seed: others need another folder. */
function sameAsStarted(
  { folder, recipe, info }: Run,
  asked: { recipe: string | undefined; seed: number | undefined },
): void {
  const wrong = (name: string, own: string, got: string) =>
    new CliError(
      `train: expected ${own}, as ${folder} was started with, for --${name} beside --resume but got ${got}`,
    );
  if (asked.seed !== undefined && asked.seed !== info.seed)
    throw wrong("seed", String(info.seed), String(asked.seed));
  if (asked.recipe !== undefined && !isDeepStrictEqual(loadRecipe(asked.recipe), recipe))
    throw wrong("recipe", `${recipe.name} as it was then`, asked.recipe);
}

type PseudoArgs = {
  [name in "labels" | "share" | "weight" | "from" as `pseudo-${name}`]?: string | undefined;
};

/** The options that begin with --pseudo. */
function pseudoLabelsArg(given: PseudoArgs & { resume: boolean }): PseudoLabelOptions | undefined {
  const { "pseudo-labels": file } = given;
  for (const name of ["pseudo-labels", "pseudo-share", "pseudo-weight", "pseudo-from"] as const) {
    if (given[name] === undefined) continue;
    if (given.resume)
      throw new CliError(
        `train: expected --${name} or --resume (which keeps its own) but got both`,
      );
    if (file === undefined)
      throw new CliError(`train: expected --pseudo-labels beside --${name} but got none`);
  }
  if (file === undefined) return undefined;
  return {
    file,
    share: fractionArg("train", "pseudo-share", given["pseudo-share"]) ?? PSEUDO_DEFAULTS.share,
    weight: positiveArg("train", "pseudo-weight", given["pseudo-weight"]) ?? PSEUDO_DEFAULTS.weight,
    from: fractionArg("train", "pseudo-from", given["pseudo-from"]) ?? PSEUDO_DEFAULTS.from,
  };
}
