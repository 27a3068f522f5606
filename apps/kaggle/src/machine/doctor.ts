/** What works on this machine, how fast, and how to get what does not. */
import { availableParallelism, cpus, totalmem } from "node:os";
import type { BackendName } from "@gz/backend";
import { adamw, trainStep } from "@gz/train";
import * as tf from "@tensorflow/tfjs";
import pc from "picocolors";
import sharp from "sharp";
import { IMAGE_SIZE, inputShape } from "../images/input.ts";
import { initialize } from "../network/initialize.ts";
import { buildNetwork } from "../network/network.ts";
import { loadRecipe } from "../recipe/recipe.ts";
import { chooseBackend } from "./backend.ts";

const good = (name: string, text: string) => `${pc.green("ok  ")} ${name.padEnd(10)} ${text}`;
const bad = (name: string, text: string) => `${pc.yellow("--  ")} ${name.padEnd(10)} ${text}`;

/** One line a finding; each is measured when it is asked for. */
export async function* doctorReport(): AsyncGenerator<string> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const supported = major > 20 || (major === 20 && minor >= 19);
  yield supported
    ? good("node", process.version)
    : bad("node", `${process.version}: 20.19 or later is needed`);
  yield good(
    "machine",
    `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
  );
  yield good("decoding", await decodingSpeed());
  for (const name of ["tensorflow", "webgpu", "wasm"] as BackendName[]) {
    try {
      const { line } = await chooseBackend(name);
      yield good(name, `${line}; ${stepSpeed(await stepMilliseconds())}`);
    } catch (error) {
      yield bad(name, (error as Error).message.replace(/^useBackend: /, ""));
    }
  }
  const data = process.env.GALAXY_ZOO_DIR;
  yield data
    ? good("data", `${data} (GALAXY_ZOO_DIR); check it with: npm run kaggle -- prepare`)
    : bad(
        "data",
        "GALAXY_ZOO_DIR is not set; give --data, or npm start renders galaxies of its own",
      );
}

async function decodingSpeed(): Promise<string> {
  const noise = new Uint8Array(IMAGE_SIZE * IMAGE_SIZE * 3).map((_, i) => 20 + ((i * 7919) % 13));
  const raw = { width: IMAGE_SIZE, height: IMAGE_SIZE, channels: 3 } as const;
  const jpeg = await sharp(noise, { raw }).jpeg().toBuffer();
  const count = 50;
  const started = performance.now();
  for (let i = 0; i < count; i++) await sharp(jpeg).raw().toBuffer();
  const ms = (performance.now() - started) / count;
  return `${ms.toFixed(1)} ms a ${IMAGE_SIZE} x ${IMAGE_SIZE} JPEG`;
}

/** Median step of the recipe `tiny` on the current backend, after two steps of set-up. */
async function stepMilliseconds(): Promise<number> {
  const recipe = loadRecipe("tiny");
  const network = buildNetwork(recipe, 1);
  initialize(network, recipe, 1, new Float32Array(37).fill(0.1));
  const optimizer = adamw();
  const xs = tf.zeros(inputShape(recipe, recipe.batch));
  const ys = tf.fill([recipe.batch, 37], 0.1);
  const lossFn = (a: tf.Tensor | tf.Tensor[], b: tf.Tensor | tf.Tensor[]) =>
    tf.losses.meanSquaredError(a as tf.Tensor, b as tf.Tensor);
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const started = performance.now();
    const { loss } = trainStep(
      network.model,
      optimizer,
      { xs, ys },
      { lossFn, learningRate: 1e-4 },
    );
    await loss.data();
    loss.dispose();
    if (i >= 2) times.push(performance.now() - started);
  }
  tf.dispose([xs, ys, ...network.model.weights.map((weight) => weight.read())]);
  optimizer.dispose();
  return times.sort((a, b) => a - b)[2]!;
}

function stepSpeed(ms: number): string {
  return `a step of recipe tiny takes ${ms.toFixed(0)} ms`;
}
