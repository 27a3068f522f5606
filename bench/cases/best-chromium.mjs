import { AVERAGE_EVERY } from "../../apps/kaggle/dist/training/from-recipe.js";
import { openPage } from "../lib/chromium.mjs";
import { compare, interleave, THREADS } from "../lib/measure.mjs";
import { openNetwork } from "../lib/network.mjs";
import { startPeer } from "../lib/peer.mjs";
import { versions } from "./best.mjs";

/** A training step of the winner's network on WebAssembly in a page of Chromium, and in PyTorch. */
export default async function bestChromium({ quick, note, row }) {
  const { recipe, model, parameters } = await openNetwork("best", "wasm");
  const [, ...image] = model.inputs[0].shape;
  const page = await openPage({
    topology: model.toJSON(null, false),
    shape: [recipe.batch, ...image],
    threads: THREADS,
  });
  if (page.used.parameters !== parameters)
    throw new Error(`expected ${parameters} parameters but got ${page.used.parameters}`);
  note(`${page.version}: ${page.used.device}, ${page.used.threads} threads`);
  const peer = await startPeer("best", { recipe, parameters, averageEvery: AVERAGE_EVERY });
  if (peer) note(versions(peer));
  const { ours, theirs } = await interleave(
    { ours: page.step, theirs: peer?.side("step") },
    { rounds: quick ? 1 : 4, times: 2 },
  );
  const what = `best: step, batch ${recipe.batch}, wasm in Chromium`;
  row(compare(what, ours, "PyTorch", theirs, { target: 2.5 }));
  await page.close();
  await peer?.stop();
}
