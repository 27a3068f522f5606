import { AVERAGE_EVERY } from "../../apps/kaggle/dist/training/from-recipe.js";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";
import { startPeer } from "../lib/peer.mjs";

/** The winner's network (recipe `best`, batch 16) natively and in PyTorch. */
export default async function best({ quick, note, row }) {
  await besidePyTorch(
    "best",
    "tensorflow",
    { step: 0.6, forward: 0.75 },
    { rounds: quick ? 3 : 9, times: 3 },
    { note, row },
  );
}

/** A recipe's step and forward pass beside peers/NAME.py's. */
export async function besidePyTorch(name, backend, targets, repetitions, { note, row }) {
  const { line, recipe, parameters, training, forward } = await openNetwork(name, backend);
  const { batch } = recipe;
  const peer = await startPeer(name, { recipe, parameters, averageEvery: AVERAGE_EVERY });
  note(line);
  if (peer) note(versions(peer));
  for (const [what, work] of Object.entries({ step: training(), forward })) {
    const { ours, theirs } = await interleave(
      { ours: timed(work), theirs: peer?.side(what) },
      repetitions,
    );
    row(
      compare(`${name}: ${what}, batch ${batch}, ${backend}`, ours, "PyTorch", theirs, {
        target: targets[what],
      }),
    );
  }
  await peer?.stop();
}

export function versions(peer) {
  return Object.entries(peer.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}
