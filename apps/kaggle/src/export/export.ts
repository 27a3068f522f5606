/** A trained run's model in a folder that stands on its own: layers format, safetensors, model card. */
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { namedWeights, writeSafetensors } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { checkFree } from "../cli/free-folder.ts";
import { say } from "../cli/progress.ts";
import { chooseBackend } from "../machine/backend.ts";
import { buildNetwork } from "../network/network.ts";
import {
  type CheckpointName,
  exportNotes,
  putWeights,
  SAFETENSORS,
  weightsOfRun,
} from "../network/trained-weights.ts";
import { openRun } from "../run/run.ts";
import { modelCard } from "./card.ts";
import { saveLayersModel } from "./layers-format.ts";

/**
 * Writes the model that a run predicts with (the moving average where its recipe keeps one) as a checkpoint of it, the
 * latest if left out, has it: model.json and weights.bin, model.safetensors, README.md. The folder appears whole or not at
 * all; one that holds anything is refused.
 */
export async function exportRun(
  folder: string,
  out: string,
  { checkpoint = "latest" }: { checkpoint?: CheckpointName } = {},
): Promise<void> {
  const run = openRun(folder);
  const target = resolve(out);
  checkFree("export", out);
  const weights = await weightsOfRun(run, checkpoint);
  if (weights.step === 0)
    say(`warning: ${folder} is at step 0: these are the weights that it began with`);
  // Nothing is computed here: the backend that every machine has will do.
  await chooseBackend("wasm");
  const { model } = buildNetwork(run.recipe, run.info.seed);
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  mkdirSync(temporary);
  try {
    putWeights(model, run.recipe, weights);
    await saveLayersModel(model, temporary);
    await writeSafetensors(join(temporary, SAFETENSORS), Object.fromEntries(namedWeights(model)), {
      metadata: exportNotes(weights),
    });
    const { step } = weights;
    const card = modelCard(run, { step, checkpoint, parameters: model.countParams() });
    writeFileSync(join(temporary, "README.md"), card);
    if (existsSync(target)) rmdirSync(target);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    tf.dispose(model.weights.map((weight) => weight.read()));
  }
}
