import {
  addColor,
  affineFromDraw,
  compose,
  createRng,
  DIELEMAN_COLOR,
  sampleColor,
  sampleDraw,
  translation,
  warp,
} from "@gz/augment";
import { extractParts, extractViews, viewAffines } from "@gz/views";
import ndarray from "ndarray";
import { alone } from "../lib/measure.mjs";

const SOURCE = { width: 424, height: 424 };
const VIEWS = { source: SOURCE, size: 69, step: 3 };
const OUT = { height: 69, width: 69 };

/** The figures of @gz/augment's and @gz/views' READMEs, on one thread; `images` has the warp beside its peers. */
export default async function augment({ quick, row }) {
  const repetitions = { rounds: quick ? 3 : 9, times: 5 };
  const rng = createRng(1);
  const bytes = noise(3, (n) => Uint8Array.from({ length: n }, () => rng.int(256)));
  const floats = noise(3, (n) => Float32Array.from({ length: n }, () => rng.uniform()));
  const rgba = noise(4, (n) => Uint8Array.from({ length: n }, () => rng.int(256)));
  const before = affineFromDraw({ ...draw(0), translation: [0, 0] }, SOURCE);
  const [affine] = viewAffines({ ...VIEWS, angles: [0], before });
  const outside = compose(translation(SOURCE.width / 2, 0), affine);
  const out = ndarray(new Float32Array(69 * 69 * 3), [69, 69, 3]);
  const four = ndarray(new Float32Array(69 * 69 * 4), [69, 69, 4]);
  const color = sampleColor(rng, DIELEMAN_COLOR, 0.5);
  await alone(
    {
      "warp, RGB bytes, 69 x 69": () => warp(bytes, affine, { ...OUT, out }),
      "the same from floats": () => warp(floats, affine, { ...OUT, out }),
      "the same from RGBA bytes": () => warp(rgba, affine, { ...OUT, out: four }),
      "the same, half of it outside": () => warp(bytes, outside, { ...OUT, out }),
      "addColor, 69 x 69 x 3": () => addColor(out, color, { out }),
    },
    { ...repetitions, calls: 100, unit: "us" },
    row,
  );
  let seed = 0;
  await alone(
    {
      "createRng of three seeds": () => createRng(1, 2, seed++),
      "uniform()": () => rng.uniform(),
      "normal()": () => rng.normal(),
    },
    { ...repetitions, calls: 10_000, unit: "us" },
    row,
  );

  const angles = [0, 45];
  const affines = viewAffines({ ...VIEWS, angles, before });
  const views = ndarray(new Float32Array(2 * 69 * 69 * 3), [2, 69, 69, 3]);
  const parts = ndarray(new Float32Array(16 * 45 * 45 * 3), [16, 45, 45, 3]);
  await alone(
    {
      "a draw and its two affines": () =>
        viewAffines({ ...VIEWS, angles, before: affineFromDraw(draw(seed++), SOURCE) }),
      "extractViews, 2 of 69 x 69": () => extractViews(bytes, affines, { size: 69, out: views }),
      "extractParts, 16 of 45 x 45": () => extractParts(views, { partSize: 45, out: parts }),
    },
    { ...repetitions, calls: 100, unit: "us" },
    row,
  );
}

function noise(channels, fill) {
  const shape = [SOURCE.height, SOURCE.width, channels];
  return ndarray(fill(SOURCE.height * SOURCE.width * channels), shape);
}

/** As in training. */
function draw(slot) {
  const ranges = { zoom: 1.3, rotation: [0, 360], translation: 4, flip: true };
  return sampleDraw(createRng(2, slot), ranges);
}
