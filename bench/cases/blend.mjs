import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "@gz/augment";
import { blend, errorCorrelation, leaveOneOut } from "@gz/ensemble";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { startPeer } from "../lib/peer.mjs";
import { versions } from "./best.mjs";

/** The winner's: 17 networks, his validation set. */
const MEMBERS = 17;
const ROWS = 6157;
const COLUMNS = 37;
const FOLDS = 5;

/** Blends of 17 members, each fitted to all rows and cross-validated on 5 folds; one thread each. */
export default async function blending({ quick, note, row }) {
  const { members, labels } = predictions();
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  const file = join(folder, "predictions.f32");
  await writeFile(file, Buffer.concat([labels, ...members.map((m) => m.values)].map(bytes)));
  const peer = await startPeer("blending", { file, rows: ROWS, columns: COLUMNS, folds: FOLDS });
  await rm(folder, { recursive: true });
  if (peer) note(versions(peer));

  const options = { columns: COLUMNS, folds: FOLDS };
  const weigh = (weights) => blend(members, labels, { ...options, weights });
  for (const weights of ["shared", "column"]) await checkSameWork(weigh, weights, peer);
  const repetitions = { rounds: quick ? 3 : 9, times: 1 };
  for (const weights of ["shared", "column"]) {
    const sides = { ours: timed(() => weigh(weights)), theirs: peer?.side(weights) };
    const { ours, theirs } = await interleave(sides, repetitions);
    row(compare(`blend of 17, ${weights} weights`, ours, "SciPy, nnls", theirs));
  }
  const alone = {
    "blend of 17, greedy weights": () => weigh("greedy"),
    "leave-one-out of 17, shared weights": () =>
      leaveOneOut(members, labels, { ...options, weights: "shared" }),
    "leave-one-out of 17, column weights": () =>
      leaveOneOut(members, labels, { ...options, weights: "column" }),
    "correlation of the errors of 17": () => errorCorrelation(members, labels),
  };
  for (const [what, work] of Object.entries(alone))
    row(compare(what, (await interleave({ ours: timed(work) }, repetitions)).ours, ""));
  await peer?.stop();
}

/** Labels, and members whose errors have a common part and parts of their own. */
function predictions() {
  const rng = createRng(1);
  const labels = Float32Array.from({ length: ROWS * COLUMNS }, () => rng.uniform(0, 1));
  const common = labels.map(() => rng.normal(0, 0.07));
  const members = Array.from({ length: MEMBERS }, (_, m) => ({
    name: `m${m}`,
    values: labels.map((y, i) => y + common[i] + rng.normal(0, 0.04 + 0.002 * m)),
  }));
  return { members, labels };
}

const bytes = ({ buffer, byteOffset, byteLength }) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The cross-validated scores agree: a ratio between different work would say nothing. */
async function checkSameWork(weigh, weights, peer) {
  if (!peer) return;
  const ours = weigh(weights).crossValidatedRmse;
  const theirs = await peer.value(weights);
  if (Math.abs(ours - theirs) > 1e-6)
    throw new Error(`blend: expected ${theirs}, as SciPy, for ${weights} weights but got ${ours}`);
}
