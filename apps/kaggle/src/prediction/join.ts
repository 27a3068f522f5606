/** A prediction's shards, all of them done, as the files that were asked for. */
import { mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Draw } from "@gz/augment";
import type { Dataset } from "@gz/galaxies";
import { columnsOfRecipe } from "../recipe/question-tree.ts";
import { removeOrigin, writeOrigin } from "../run/origin.ts";
import type { Run } from "../run/run.ts";
import { joinShards, type Shard } from "./shards.ts";
import { isIdentity } from "./transforms.ts";

/** Joins the shards of each file that was asked for, then removes them; returns the files. */
export async function joinSplits(
  run: Run,
  dataset: Dataset,
  shards: readonly Shard[],
  { out, transforms }: { out?: string | undefined; transforms: readonly Draw[] },
): Promise<string[]> {
  const files = new Map<string, Shard[]>();
  for (const shard of shards) {
    const file = out ?? join(run.predictions, `${shard.split}.csv`);
    files.set(file, [...(files.get(file) ?? []), shard]);
  }
  const columns = columnsOfRecipe(run.recipe);
  const singles = transforms.length > 1 && transforms.some(isIdentity);
  const written: string[] = [];
  for (const [file, members] of files) {
    mkdirSync(dirname(file), { recursive: true });
    const single = file.replace(/(\.csv)?$/, ".single.csv");
    removeOrigin(file);
    rmSync(single, { force: true });
    if (singles)
      await joinShards(
        members.map((shard) => shard.single),
        single,
        columns,
      );
    await joinShards(
      members.map((shard) => shard.file),
      file,
      columns,
    );
    writeOrigin(file, dataset);
    written.push(file, ...(singles ? [single] : []));
  }
  for (const { file, single } of shards)
    for (const path of [file, single]) rmSync(path, { force: true });
  const folder = dirname(shards[0]!.file);
  if (readdirSync(folder).length === 0) rmdirSync(folder);
  return written;
}
