import { checkDataset, openDataset, type Problem, pixelCacheSize, type Split } from "@gz/galaxies";
import { defineCommand } from "citty";
import { dataArg, dataPath, integerArg, refuseUnknown } from "../cli/args.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { createProgress, type Progress, say } from "../cli/progress.ts";
import { galaxyCentres } from "../images/centres.ts";
import { pixelCache } from "../images/pixel-source.ts";
import { dataOptions } from "../recipe/data-options.ts";
import { loadRecipe } from "../recipe/recipe.ts";

const args = {
  data: dataArg,
  recipe: {
    type: "string",
    description: "Cache what this recipe reads",
    default: "modern",
    valueHint: "NAME|FILE",
  },
  full: {
    type: "boolean",
    description: "Cache images at full size, for recipes that read them so: 0.54 MB each",
    default: false,
  },
  limit: { type: "string", description: "Problems to list", default: "50", valueHint: "N" },
} as const;

export const prepare = defineCommand({
  meta: {
    name: "prepare",
    description: "Check a data set whole, and decode it once into a cache.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("prepare", given, args);
    const path = dataPath("prepare", given.data);
    const recipe = loadRecipe(given.recipe);
    const { input } = recipe;
    const options = dataOptions(recipe);
    const limit = integerArg("prepare", "limit", given.limit) ?? 50;
    const interrupt = onInterrupt(say);
    let progress: Progress | undefined;
    try {
      const problems = await checkDataset(path, {
        decode: true,
        ...options,
        onProgress(done, total) {
          progress ??= createProgress("check", total);
          progress.update(done);
        },
        signal: interrupt.signal,
      });
      progress?.stop();
      if (problems.length > 0) {
        for (const line of table(problems.slice(0, limit))) console.log(line);
        if (problems.length > limit) console.log(`… and ${problems.length - limit} more (--limit)`);
        say(`prepare: ${problems.length} problems in ${path}`);
        return 1;
      }
      const dataset = await openDataset(path, options);
      console.log(
        `${path}: ${dataset.trainIds.length} labelled galaxies, ${dataset.testIds.length} test images, all well`,
      );
      for (const split of ["train", "test"] as Split[]) {
        const count = (split === "train" ? dataset.trainIds : dataset.testIds).length;
        if (count === 0) continue;
        if (input.centre) {
          const { file, missing } = await galaxyCentres(dataset, split, {
            threshold: input.centre.threshold,
            signal: interrupt.signal,
          });
          console.log(`${file}: ${count - missing} of ${count} ${split} galaxies measured`);
        }
        for (const shrink of new Set([input.shrink, 1])) {
          if (shrink === 1 && !given.full) continue;
          const megabytes = pixelCacheSize(dataset, split, { shrink }) / 1e6;
          const size = shrink === 1 ? "full size" : `1/${shrink} of their size`;
          say(`${split}: ${count} images at ${size} take ${megabytes.toFixed(0)} MB`);
          const { file } = await pixelCache(dataset, split, shrink, interrupt.signal);
          console.log(file);
        }
      }
      await dataset.close();
      return 0;
    } finally {
      progress?.stop();
      interrupt.release();
    }
  },
});

function table(problems: Problem[]): string[] {
  const rows = problems.map(({ file, row, id, message }) => [
    row === undefined ? file : `${file}:${row}`,
    id === undefined ? "" : String(id),
    message,
  ]);
  const widths = [0, 1].map((k) => Math.max(...rows.map((row) => row[k]!.length)));
  return rows.map(
    ([where, id, message]) => `${where!.padEnd(widths[0]!)}  ${id!.padEnd(widths[1]!)}  ${message}`,
  );
}
