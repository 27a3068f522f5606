import { expect, test } from "vitest";
import { clean } from "./clean.ts";
import { measureShape } from "./shape.ts";

const [WIDTH, HEIGHT] = [64, 48];
const THRESHOLD = 0.01;
const MIN_AREA = 5;

/** A bright Gaussian at (20, 24) and, 25 pixels to its right, 3 x 3 pixels or the first of them, in rows. */
function scene(rises: readonly number[]) {
  const data = new Float32Array(WIDTH * HEIGHT);
  const bright: number[] = [];
  for (let i = 0; i < data.length; i++) {
    const square = ((i % WIDTH) - 20) ** 2 + (Math.floor(i / WIDTH) - 24) ** 2;
    data[i] = Math.exp(-square / 32);
    if (data[i]! > THRESHOLD) bright.push(i);
  }
  const faint = rises.map((rise, k) => {
    const pixel = (23 + Math.floor(k / 3)) * WIDTH + 44 + (k % 3);
    data[pixel] = THRESHOLD + rise;
    return pixel;
  });
  const plane = { data, width: WIDTH, height: HEIGHT };
  const images = { light: plane, filtered: plane };
  const detections = [bright, faint].map((list) => {
    const pixels = Int32Array.from(list);
    return { pixels, shape: measureShape(images, pixels, THRESHOLD) };
  });
  return { images, detections };
}

/** The Moffat profile of the bright one, 25 pixels off: its peak from flux and size, through the threshold at its edge. */
function wing(): number {
  const { flux, area, a, b, concentration } = scene([]).detections[0]!.shape;
  const peak = flux / (2 * Math.PI * a * b * concentration);
  const slope = ((peak / THRESHOLD - 1) * Math.PI * a * b) / area;
  return peak / (1 + slope * (25 / a) ** 2);
}

function cleaned(rises: readonly number[]) {
  const { images, detections } = scene(rises);
  return clean(images, detections, THRESHOLD, MIN_AREA);
}

test("what rises less than the neighbour's wing is the neighbour's", () => {
  const all = (rise: number): number[] => Array(9).fill(rise);
  expect(cleaned(all(1.15 * wing()))).toHaveLength(2);
  const [bright, none] = cleaned(all(0.85 * wing()));
  expect(none).toBeUndefined();
  const { detections } = scene(all(0.85 * wing()));
  const [one, other] = detections.map(({ shape }) => shape);
  expect(bright!.area).toBe(one!.area + 9);
  expect(bright!.flux).toBeCloseTo(one!.flux + other!.flux, 6);
  expect(bright!.pixels).toHaveLength(one!.area);
});

test("a bright one that comes later swallows as well", () => {
  const { images, detections } = scene(Array(9).fill(0.85 * wing()));
  const kept = clean(images, detections.toReversed(), THRESHOLD, MIN_AREA);
  expect(kept.map(({ area }) => area)).toEqual([detections[0]!.pixels.length + 9]);
});

// By hand after SExtractor's loop over the pixels: the heap of the first five, sorted, is 1 2 3 4 5; the sixth pixel is
// skipped; 6, 7 and 8 leave 6 8 7 4 5. The fifth brightest pixel would be 5.
test("rises as high as SExtractor's heap says", () => {
  const unit = wing() / 5.5;
  const rises = (...list: number[]) => cleaned(list.map((rise) => rise * unit)).length;
  expect(rises(5, 1, 4, 2, 3, 9, 6, 7, 8)).toBe(2);
  expect(rises(5, 1, 4, 2, 3, 9, 5, 7, 8)).toBe(1);
  // Of five pixels the first counts.
  expect(rises(6, 1, 1, 1, 1)).toBe(2);
  expect(rises(5, 9, 9, 9, 9)).toBe(1);
  // Fewer have no height.
  expect(rises(9, 9, 9, 9)).toBe(1);
});
