import { addColor, affineFromDraw, createRng, sampleDraw, warp } from "@gz/augment";
import { buildPixelCache, decode, openPixelCache } from "@gz/galaxies";
import { viewAffines } from "@gz/views";
import {
  inputAffines,
  inputLength,
  trainingDraw,
  writeInput,
} from "../../apps/kaggle/dist/images/input.js";
import { loadRecipe } from "../../apps/kaggle/dist/recipe/recipe.js";
import { withGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { startPeer } from "../lib/peer.mjs";
import { versions } from "./best.mjs";

const SIZE = 69;
const COLOR = [0.01, 0.02, 0.03];
const WARPS = 64;
const DECODES = 50;
const PATHS = 16;

/**
 * A JPEG of 424 x 424 decoded, warped to a view of 69 x 69, and a colour added; then the whole of what `best` does to an
 * image, from a JPEG and from decoded pixels. One thread each.
 */
export default async function images({ quick, note, row }) {
  await withGalaxies(PATHS, async (dataset, folder) => {
    const jpeg = await dataset.read(dataset.trainIds[0], "train");
    const { file } = await buildPixelCache(dataset, "train", { dir: folder });
    await measure(jpeg, openPixelCache(file), { quick, note, row });
  });
}

async function measure(jpeg, cache, { quick, note, row }) {
  const image = await decode(jpeg);
  const affines = trainingAffines();
  const out = warp(image, affines[0], { height: SIZE, width: SIZE });
  const path = trainingPath();
  const request = {
    ...{ jpeg: jpeg.toString("base64"), size: SIZE, color: COLOR },
    ...{ affines, views: path.views },
  };
  const peer = await startPeer("images", request);
  if (peer) note(versions(peer));

  const warpAll = () => {
    for (const affine of affines) warp(image, affine, { height: SIZE, width: SIZE, out });
  };
  const warpAndColorAll = () => {
    for (const affine of affines) {
      warp(image, affine, { height: SIZE, width: SIZE, out });
      addColor(out, COLOR, { out });
    }
  };
  if (peer) {
    await checkSameWork(warpAll, out, peer, "opencv");
    await checkSameWork(warpAll, out, peer, "scikit_image");
    await checkSameWork(warpAndColorAll, out, peer, "opencv_float");
  }

  const repetitions = { rounds: quick ? 3 : 9, times: 5 };
  const warps = await interleave(
    {
      warp: timed(warpAll),
      color: timed(warpAndColorAll),
      opencv: peer?.side("opencv"),
      opencvFloat: peer?.side("opencv_float"),
      scikit: peer?.side("scikit_image"),
    },
    repetitions,
  );
  const perWarp = { unit: "us", scale: 1000 / WARPS };
  const what = "warp to 69 x 69 x 3";
  row(compare(what, warps.warp, "OpenCV, bytes", warps.opencv, perWarp));
  row(compare(what, warps.warp, "scikit-image", warps.scikit, perWarp));
  row(
    compare(`${what} + colour`, warps.color, "OpenCV, to float", warps.opencvFloat, {
      ...perWarp,
      target: 0.5,
    }),
  );

  const decodes = await interleave(
    {
      ours: timed(() => decode(jpeg)),
      pillow: peer?.side("pillow_decode"),
      opencv: peer?.side("opencv_decode"),
    },
    { ...repetitions, times: DECODES },
  );
  row(compare("decode a 424 x 424 JPEG", decodes.ours, "Pillow", decodes.pillow));
  row(compare("decode a 424 x 424 JPEG", decodes.ours, "OpenCV", decodes.opencv));

  const pixels = new Uint8Array(cache.height * cache.width * 3);
  const paths = await interleave(
    {
      jpeg: timed(() => path.write(() => decode(jpeg))),
      peer: peer?.side("pillow_opencv_path"),
      cache: timed(() => path.write((i) => cache.read(i, pixels))),
    },
    repetitions,
  );
  const perImage = { scale: 1 / PATHS };
  const whole = "two views and colour of best's image";
  row(
    compare(`${whole}, from a JPEG`, paths.jpeg, "Pillow, OpenCV", paths.peer, {
      ...perImage,
      target: 1,
    }),
  );
  // 3,000 images a second.
  const most = { ...perImage, most: 1 / 3 };
  row(compare(`${whole}, from decoded pixels`, paths.cache, "", undefined, most));
  cache.close();
  await peer?.stop();
}

/** The last warp's mean agrees with the peer's: a ratio between different work would say nothing. */
async function checkSameWork(work, out, peer, name) {
  work();
  const mean = out.data.reduce((sum, value) => sum + value, 0) / out.data.length;
  const theirs = await peer.value(name);
  if (Math.abs(mean - theirs) > 0.003)
    throw new Error(`images: expected the mean of ${name}'s warp, ${theirs}, but got ${mean}`);
}

/** What `best`'s first batch does to its images: the affines of each one's views, and the work itself. */
function trainingPath() {
  const recipe = loadRecipe("best");
  const draws = Array.from({ length: PATHS }, (_, slot) => trainingDraw(recipe, 1, 0, slot));
  const out = new Float32Array(inputLength(recipe));
  return {
    views: draws.map(({ draw }) => inputAffines(recipe, draw)),
    async write(read) {
      for (const [slot, { draw, pixels }] of draws.entries())
        writeInput(recipe, await read(slot), out, draw, pixels);
    },
  };
}

/** The affines of 64 augmented first views, as in training. */
function trainingAffines() {
  const source = { width: 424, height: 424 };
  const ranges = { zoom: 1.3, rotation: [0, 360], translation: 4, flip: true };
  return Array.from({ length: WARPS }, (_, i) => {
    const before = affineFromDraw(sampleDraw(createRng(1, i), ranges), source);
    return viewAffines({ source, size: SIZE, step: 3, angles: [0], before })[0];
  });
}
