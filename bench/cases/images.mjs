import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addColor, affineFromDraw, createRng, sampleDraw, warp } from "@gz/augment";
import { decode } from "@gz/galaxies";
import { viewAffines } from "@gz/views";
import ndarray from "ndarray";
import sharp from "sharp";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { startPeer } from "../lib/peer.mjs";
import { versions } from "./best.mjs";

const SIDE = 424;
const SIZE = 69;
const COLOR = [0.01, 0.02, 0.03];
const WARPS = 64;
const DECODES = 50;

/** One warp from a 424 x 424 photograph to a view of 69 x 69, one colour shift, one JPEG decoded; a thread each. */
export default async function images({ quick, note, row }) {
  const jpeg = await sharp(galaxy(), { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
  const image = await decode(jpeg);
  const affines = trainingAffines();
  const out = ndarray(new Float32Array(SIZE * SIZE * 3), [SIZE, SIZE, 3]);
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  const file = join(folder, "galaxy.jpg");
  await writeFile(file, jpeg);
  const peer = await startPeer("images", { jpeg: file, size: SIZE, affines, color: COLOR });
  if (peer) note(versions(peer));
  await rm(folder, { recursive: true });

  const ours = {
    warp() {
      for (const affine of affines) warp(image, affine, { height: SIZE, width: SIZE, out });
    },
    warpAndColor() {
      for (const affine of affines) {
        warp(image, affine, { height: SIZE, width: SIZE, out });
        addColor(out, COLOR, { out });
      }
    },
    async decode() {
      for (let i = 0; i < DECODES; i++) await decode(jpeg);
    },
  };
  if (peer) await checkSameWork(ours, out, peer);

  const repetitions = { rounds: quick ? 3 : 9, times: 5 };
  const perWarp = { unit: "us", scale: 1000 / WARPS };
  const warps = await interleave(
    {
      warp: timed(ours.warp),
      color: timed(ours.warpAndColor),
      opencv: peer?.side("opencv"),
      opencvFloat: peer?.side("opencv_float"),
      scikit: peer?.side("scikit_image"),
    },
    repetitions,
  );
  row(compare("warp to 69 x 69 x 3 float", warps.warp, "OpenCV, bytes", warps.opencv, perWarp));
  row(compare("warp to 69 x 69 x 3 float", warps.warp, "scikit-image", warps.scikit, perWarp));
  row(compare("warp + colour", warps.color, "OpenCV + float + colour", warps.opencvFloat, perWarp));

  const once = (side) => side && (async (times) => scaleAll(await side(times * DECODES), DECODES));
  const decodes = await interleave(
    {
      ours: timed(ours.decode),
      pillow: once(peer?.side("pillow_decode")),
      opencv: once(peer?.side("opencv_decode")),
    },
    { ...repetitions, times: 1 },
  );
  const perImage = { unit: "ms", scale: 1 / DECODES };
  row(compare("decode a 424 x 424 JPEG", decodes.ours, "Pillow", decodes.pillow, perImage));
  row(compare("decode a 424 x 424 JPEG", decodes.ours, "OpenCV", decodes.opencv, perImage));
  await peer?.stop();
}

/** The peer times each image, ours a whole block of them. */
const scaleAll = (ms, count) => ms.map((value) => value * count);

/** Means of the last warp agree: a ratio between different work would say nothing. */
async function checkSameWork(ours, out, peer) {
  const mean = () => out.data.reduce((sum, value) => sum + value, 0) / out.data.length;
  for (const [work, names] of [
    [ours.warp, ["opencv", "scikit_image"]],
    [ours.warpAndColor, ["opencv_float"]],
  ]) {
    work();
    for (const name of names) {
      const theirs = await peer.value(name);
      if (Math.abs(mean() - theirs) > 0.003)
        throw new Error(
          `images: expected the mean of ${name}'s warp, ${theirs}, but got ${mean()}`,
        );
    }
  }
}

/** The affines of 64 augmented first views, as in training. */
function trainingAffines() {
  const source = { width: SIDE, height: SIDE };
  const ranges = { zoom: 1.3, rotation: [0, 360], translation: 4, flip: true };
  return Array.from({ length: WARPS }, (_, i) => {
    const before = affineFromDraw(sampleDraw(createRng(1, i), ranges), source);
    return viewAffines({ source, size: SIZE, step: 3, angles: [0], before })[0];
  });
}

/** A noisy disk: the decoder's time depends on how much there is to decode. */
function galaxy() {
  const rng = createRng(5);
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  for (let i = 0; i < pixels.length; i++) {
    const at = Math.floor(i / 3);
    const radius = Math.hypot((at % SIDE) - 211.5, Math.floor(at / SIDE) - 211.5);
    pixels[i] = Math.min(255, Math.max(0, 15 + 200 * Math.exp(-radius / 40) + rng.normal(0, 5)));
  }
  return pixels;
}
