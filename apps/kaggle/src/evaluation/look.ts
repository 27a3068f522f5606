/**
 * What takes the network itself: how far its predictions change as galaxies are turned, its first filters, the pictures
 * that excite its units most, and the galaxies that do.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { identityDraw } from "@gz/augment";
import { columnsOf, type Dataset } from "@gz/galaxies";
import { latestCheckpoint } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import { CliError } from "../cli/errors.ts";
import { createProgress, type Progress } from "../cli/progress.ts";
import { hasSymmetries, widestSpan, writeInput } from "../images/input.ts";
import { pixelSource } from "../images/pixel-source.ts";
import { openPixels } from "../images/pixels.ts";
import { splitRows } from "../images/split.ts";
import { type ForwardOptions, forward } from "../prediction/forward.ts";
import { loadModel } from "../prediction/predict.ts";
import { labelTreeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import type { Run } from "../run/run.ts";
import { canvasSide, maximise } from "./ascent.ts";
import { createEquivariance, type Equivariance, TURNED } from "./equivariance.ts";
import { firstFilters } from "./filters.ts";
import { estimatePrior, type Prior } from "./prior.ts";
import { writeSprite } from "./sprite.ts";
import { chooseUnits, probe, type Unit, unitValues } from "./units.ts";

/** Pictures side by side in a PNG, see readSprite. */
interface Sprite {
  /** Beside evaluation.json. */
  file: string;
  count: number;
  /** Pixels a side. */
  side: number;
}

/** A unit with the galaxies that excite it most, the most exciting first. */
interface LookedAtUnit extends Unit {
  galaxies: { id: number; value: number }[];
}

export interface Look {
  /** Galaxies among which the exciting ones were searched. */
  searched: number;
  equivariance: Equivariance;
  /** Left out for a network that does not begin with a convolution. */
  filters?: Sprite;
  /** One picture a unit, in the order of `units`. */
  maximised: Sprite;
  units: LookedAtUnit[];
}

export interface LookOptions {
  run: Run;
  /** With labels and images. */
  dataset: Dataset;
  /** Galaxies that are turned; left out, what the network's kind can afford. */
  images: number | undefined;
  workers: number | undefined;
  /** Gets evaluation/*.png. */
  folder: string;
  signal: AbortSignal;
}

const EXAMPLES = 3;
const EXCITING = 5;
/** Validation galaxies among which the exciting ones are searched, at most. */
const SEARCHED = 400;
const SEED = 1;

/** What keeps it within minutes: fewer galaxies and steps for networks that take ten times the arithmetic for each. */
function effort({ network, input }: Recipe): { images: number; searched: number; steps: number } {
  if (network.kind === "parts") return { images: 16, searched: SEARCHED / 2, steps: 24 };
  // Symmetries are all eight turns and mirror images of each view.
  const views = input.angles.length * (network.symmetries ? 8 : 1);
  return { images: views > 4 ? 16 : 64, searched: SEARCHED, steps: 64 };
}

/** Writes the pictures and returns the rest; throws a CliError (130), with nothing written, when it was interrupted. */
export async function look(options: LookOptions): Promise<Look> {
  const { run, dataset, folder, signal } = options;
  const { recipe } = run;
  const { train, valid } = splitRows(dataset.trainIds.length);
  if (!dataset.labels || valid === 0)
    throw new CliError(
      `evaluate: expected labelled validation galaxies in ${dataset.path} but found none`,
    );
  const { images, searched, steps } = effort(recipe);
  const checkpoint = await latestCheckpoint(run.checkpoints);
  if (!checkpoint)
    throw new CliError(`evaluate: ${run.folder} has no checkpoint yet; train it first`);
  const model = await loadModel(run, checkpoint);
  const once = hasSymmetries(recipe) ? await loadModel(seenOnce(run), checkpoint) : model;
  const tree = labelTreeOf(recipe);
  const progress = createProgress(`${run.name} look`, 3);
  try {
    const pixels = await pixelSource(dataset, "train", recipe.input, signal);
    const base = { recipe, pixels, signal, ...(options.workers && { workers: options.workers }) };
    const task: Task = { base, train, valid, dataset, progress, signal };

    const equivariance = await turn(task, model, options.images ?? images);
    const network = probe(once, tree);
    const { rows, outputs } = await activations(task, network.model, searched);
    const units = chooseUnits(network, outputs);
    const prior = await galaxyPrior(task, searched);
    const pictures = await maximise(network, recipe, prior, units, {
      steps,
      seed: SEED,
      onProgress: (step) => progress.update(2 + step / steps, "what excites units"),
      signal,
    });
    stopIfAborted(signal);
    const filters = firstFilters(model);
    mkdirSync(join(folder, "evaluation"), { recursive: true });
    const sprite = async (name: string, tiles: Float32Array[], side: number): Promise<Sprite> => {
      const file = join("evaluation", `${name}.png`);
      await writeSprite(join(folder, file), tiles, side);
      return { file, count: tiles.length, side };
    };
    return {
      searched: rows.length,
      equivariance,
      ...(filters && { filters: await sprite("filters", filters.pictures, filters.side) }),
      maximised: await sprite("maximised", pictures, recipe.input.size),
      units: units.map((unit) => ({
        ...unit,
        galaxies: strongest(unitValues(unit, network, outputs)).map(({ at, value }) => ({
          id: dataset.trainIds[rows[at]!]!,
          value,
        })),
      })),
    };
  } finally {
    progress.stop();
    tf.dispose([model, once].flatMap(({ weights }) => weights.map((weight) => weight.read())));
  }
}

/** The same network without symmetries: a mean over turns is excited by no picture in particular. */
function seenOnce(run: Run): Run {
  const { network } = run.recipe;
  if (network.kind !== "residual") return run;
  return { ...run, recipe: { ...run.recipe, network: { ...network, symmetries: false } } };
}

interface Task {
  base: Omit<ForwardOptions, "model" | "images" | "transforms">;
  train: number;
  valid: number;
  dataset: Dataset;
  progress: Progress;
  signal: AbortSignal;
}

async function turn(
  { base, train, valid, dataset, progress, signal }: Task,
  model: tf.LayersModel,
  count: number,
): Promise<Equivariance> {
  const rows = evenly(train, valid, count);
  const tree = labelTreeOf(base.recipe);
  const width = columnsOf(tree).length;
  const equivariance = createEquivariance(tree, EXAMPLES);
  for await (const { index, outputs } of forward({
    ...base,
    model,
    images: rows,
    transforms: TURNED,
  })) {
    const row = rows[index]!;
    const labels = dataset.labels!.subarray(row * width, (row + 1) * width);
    equivariance.add(dataset.trainIds[row]!, outputs, labels);
    progress.update((index + 1) / rows.length, "turning galaxies");
  }
  stopIfAborted(signal);
  return equivariance.result();
}

async function activations(
  { base, train, valid, progress, signal }: Task,
  model: tf.LayersModel,
  count: number,
): Promise<{ rows: Uint32Array; outputs: Float32Array }> {
  const rows = evenly(train, valid, count);
  const width = model.outputs[0]!.shape.at(-1)!;
  const all = new Float32Array(rows.length * width);
  for await (const { index, outputs } of forward({
    ...base,
    model,
    images: rows,
    transforms: [identityDraw],
  })) {
    all.set(outputs, index * width);
    progress.update(1 + (index + 1) / rows.length, "looking for exciting galaxies");
  }
  stopIfAborted(signal);
  return { rows, outputs: all };
}

/** What the galaxies look like at the size on which pictures are climbed. */
async function galaxyPrior({ base, train, valid }: Task, count: number): Promise<Prior> {
  const { recipe, pixels } = base;
  const side = canvasSide(recipe);
  const { size } = recipe.input;
  const span = (widestSpan(recipe) * side) / size;
  const input = { ...recipe.input, size: side, span, angles: [0] };
  const { read, centre } = await openPixels(pixels);
  const pictures: Float32Array[] = [];
  for (const row of evenly(train, valid, count)) {
    const picture = new Float32Array(side * side * 3);
    writeInput({ ...recipe, input }, await read(row), picture, undefined, undefined, centre(row));
    pictures.push(picture);
  }
  return estimatePrior(pictures, side);
}

/** At most `count` rows of the validation part, spread over it. */
function evenly(train: number, valid: number, count: number): Uint32Array {
  const taken = Math.min(count, valid);
  return Uint32Array.from({ length: taken }, (_, i) => train + Math.floor((i * valid) / taken));
}

function strongest(values: readonly number[]): { at: number; value: number }[] {
  return values
    .map((value, at) => ({ at, value }))
    .sort((a, b) => b.value - a.value || a.at - b.at)
    .slice(0, EXCITING);
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new CliError("evaluate: stopped; nothing was written", 130);
}
