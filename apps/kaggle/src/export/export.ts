/** A trained run's model in a folder that stands on its own: layers format, safetensors, model card. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { namedWeights, writeSafetensors } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "../cli/errors.ts";
import { chooseBackend } from "../machine/backend.ts";
import { buildNetwork } from "../network/network.ts";
import { exportNotes, putWeights, SAFETENSORS, weightsOfRun } from "../network/trained-weights.ts";
import { openRun } from "../run/run.ts";
import { modelCard } from "./card.ts";
import { saveLayersModel } from "./layers-format.ts";

/**
 * Writes the model that a run predicts with (the moving average where its recipe keeps one) as its latest checkpoint has
 * it: model.json and weights.bin, model.safetensors, README.md. The folder appears whole or not at all; one that holds
 * anything is refused.
 */
export async function exportRun(folder: string, out: string): Promise<void> {
  const run = openRun(folder);
  const target = resolve(out);
  checkFree(out);
  const weights = await weightsOfRun(run);
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
    const card = modelCard(run, { step: weights.step, parameters: model.countParams() });
    writeFileSync(join(temporary, "README.md"), card);
    if (existsSync(target)) rmdirSync(target);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
    tf.dispose(model.weights.map((weight) => weight.read()));
  }
}

function checkFree(out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory())
    throw new CliError(`export: expected a folder for --out but ${out} is a file`);
  const [first] = readdirSync(out);
  if (first !== undefined)
    throw new CliError(
      `export: expected a new or an empty folder for --out but ${out} holds ${first}; give another --out`,
    );
}
