import { join, resolve } from "node:path";
import { defineCommand } from "citty";
import { backendArg, dataArg, dataPath, integerArg, refuseUnknown } from "../cli/args.ts";
import { CliError } from "../cli/errors.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { formatSeconds, say } from "../cli/progress.ts";
import { chooseVariants, loadExperiments } from "../experiments/experiments-file.ts";
import { experimentsPage } from "../experiments/page.ts";
import { planExperiments, plannedOf } from "../experiments/plan.ts";
import { collectResults } from "../experiments/results.ts";
import { runMembers } from "../reproduce/engine.ts";
import { hasEnsemble, openEnsemble } from "../reproduce/folder.ts";
import { lockRun } from "../run/lock.ts";
import { writeAtomic } from "../run/run.ts";

const args = {
  seeds: {
    type: "string",
    description: "Seeds of each variant, from 1 on",
    default: "3",
    valueHint: "N",
  },
  budget: {
    type: "string",
    description: "Of each run, 2000-steps or 5m-per-model; or of all together, 3h",
    default: "2000-steps",
    valueHint: "BUDGET",
  },
  only: {
    type: "string",
    description: "These variants beside the base (default: all)",
    valueHint: "NAME,NAME",
  },
  data: dataArg,
  out: {
    type: "string",
    description: "Folder of everything; one that was begun goes on, with more seeds too",
    default: "runs/experiments",
    valueHint: "DIR",
  },
  plan: { type: "boolean", description: "Print the plan and stop", default: false },
  parallel: {
    type: "string",
    description: "Runs side by side (default: what is measured to be fastest)",
    valueHint: "N",
  },
  backend: backendArg,
} as const;

export const experiments = defineCommand({
  meta: {
    name: "experiments",
    description: "Variants of a recipe beside it, from several seeds (NAME or FILE.json): a page.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("experiments", given, args, { others: true });
    const [named = "winner", ...rest] = given._;
    if (rest.length > 0)
      throw new CliError(
        `experiments: expected one name or JSON file but got ${given._.join(", ")}`,
      );
    const all = loadExperiments(named);
    const chosen = given.only === undefined ? all : chooseVariants(all, given.only.split(","));
    const seeds = integerArg("experiments", "seeds", given.seeds)!;
    const folder = resolve(given.out);
    const started = performance.now();
    const interrupt = onInterrupt(say);
    const { signal } = interrupt;
    const unlock = await lockRun(folder);
    try {
      const planned = await planExperiments(chosen, named, {
        folder,
        data: dataPath("experiments", given.data ?? begunWith(folder)),
        budget: given.budget,
        seeds,
        backend: given.backend,
        parallel: integerArg("experiments", "parallel", given.parallel),
        started,
        signal,
      });
      if (!planned) return 130;
      for (const line of planned.lines) say(line);
      if (given.plan) return 0;
      const ensemble = planned.begin();
      const { finished, failed } = await runMembers(ensemble, signal);

      // The page is of all that the folder has, not of what was added last.
      const shown = plannedOf(all, ensemble);
      const only =
        shown.variants.length < all.variants.length
          ? ` --only ${shown.variants.slice(1).map(({ name }) => name)}`
          : "";
      const command = `npm run kaggle -- experiments ${named} --budget ${given.budget} --seeds ${shown.seeds}${only}`;
      const result = await collectResults(ensemble, shown, { seeds: shown.seeds, command });
      const page = join(folder, "experiments.md");
      writeAtomic(join(folder, "experiments.json"), `${JSON.stringify(result, null, 1)}\n`);
      writeAtomic(page, experimentsPage(result));
      console.log(page);
      if (!finished) {
        say("stopped; the page is of the runs that are done, and the same command goes on");
        return 130;
      }
      say(`done in ${formatSeconds((performance.now() - started) / 1000)}`);
      for (const { name, reason } of failed) say(`without ${name}: ${reason}`);
      return failed.length > 0 ? 1 : 0;
    } finally {
      await unlock();
      interrupt.release();
    }
  },
});

/** The data set of a folder that was begun. */
function begunWith(folder: string): string | undefined {
  return hasEnsemble(folder) ? openEnsemble(folder).data : undefined;
}
