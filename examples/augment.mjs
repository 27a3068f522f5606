// One picture, four random versions of it: turned, zoomed, leaning, shifted, perhaps mirrored.
import {
  addColor,
  affineFromDraw,
  createRng,
  fitColor,
  sampleColor,
  sampleDraw,
  warp,
} from "@gz/augment";
import ndarray from "ndarray";

const picture = ndarray(new Uint8Array(24 * 24 * 3), [24, 24, 3]);
for (let y = 4; y < 20; y++)
  for (let x = 7; x < 17; x++)
    if (x < 10 || y < 7 || (y > 10 && y < 14 && x < 15))
      for (let c = 0; c < 3; c++) picture.set(y, x, c, 225 - 30 * c); // a letter F

const ranges = { zoom: 1.3, rotation: [0, 360], shear: [-10, 10], translation: 2, flip: true };
const basis = fitColor([picture]);
const versions = [1, 2, 3, 4].map((slot) => {
  const rng = createRng(2014, slot);
  const draw = sampleDraw(rng, ranges);
  console.log(`version ${slot}:`, JSON.stringify(draw));
  const affine = affineFromDraw(draw, { width: 24, height: 24 });
  const version = warp(picture, affine, { border: "constant" });
  return addColor(version, sampleColor(rng, basis, 0.2));
});

const ink = (version, y) => (_, x) => " .:-=+*#%@"[Math.floor(9 * version.get(y, x, 0))];
for (let y = 0; y < 24; y += 2)
  console.log(versions.map((v) => Array.from({ length: 24 }, ink(v, y)).join("")).join("  "));
