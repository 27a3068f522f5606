import {
  type Affine,
  affineFromDraw,
  compose,
  createRng,
  type Draw,
  identity,
  translation,
  warp,
} from "@gz/augment";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import { extractViews, type ViewOptions, viewAffines } from "./views.ts";

const source = { width: 424, height: 424 };
const winner: ViewOptions = { source, size: 69, step: 3, angles: [0, 45] };
const draw: Draw = { zoom: 1.2, rotation: 30, shear: 0, translation: [2, -3], flip: false };

// Golden matrices, from a specification written from the winner's published code before ours existed.
test("without augmentation: x_src = 3 x + 109.5, and that turned by 45 degrees", () => {
  const [upright, turned] = viewAffines(winner);
  expect(upright).toEqual([3, 0, 109.5, 0, 3, 109.5]);
  expect(turned).toBeAllClose(
    [2.12132034, -2.12132034, 211.5, 2.12132034, 2.12132034, 67.25021664],
    { atol: 1e-8, rtol: 0 },
  );
});

test("with zoom 1.2, 30 degrees and a shift of (2, -3)", () => {
  const views = viewAffines({ ...winner, before: affineFromDraw(draw, source) });
  expect(views[0]).toBeAllClose([
    2.1650635095, -1.25, 182.3878406783, 1.25, 2.1650635095, 92.3878406783,
  ]);
  expect(views[1]).toBeAllClose([
    0.6470476128, -2.4148145657, 273.6040764009, 2.4148145657, 0.6470476128, 104.3966859317,
  ]);
});

test("the same, mirrored", () => {
  const views = viewAffines({ ...winner, before: affineFromDraw({ ...draw, flip: true }, source) });
  expect(views[0]).toBeAllClose([
    -2.1650635095, -1.25, 329.6121593217, -1.25, 2.1650635095, 177.3878406783,
  ]);
  expect(views[1]).toBeAllClose([
    -2.4148145657, 0.6470476128, 273.6040764009, 0.6470476128, 2.4148145657, 104.3966859317,
  ]);
});

test("after the recentring and rescaling of training galaxy 100008", () => {
  const zoom = 160 / (5.28 * 30.689);
  expect(zoom).toBeCloseTo(0.9874231908, 4);
  const recentre: Draw = {
    ...draw,
    zoom: 0.9874231908,
    rotation: 0,
    translation: [211.927 - 211.5, 215.121 - 211.5],
  };
  const before = compose(affineFromDraw(recentre, source), affineFromDraw(draw, source));
  expect(viewAffines({ ...winner, before })[0]).toBeAllClose([
    2.1926399234, -1.26592125, 182.444039105, 1.26592125, 2.1926399234, 94.491709105,
  ]);
});

test("views of any size lie around the centre of an image of any shape", () => {
  const [affine] = viewAffines({
    source: { width: 31, height: 20 },
    size: 4,
    step: 2.5,
    angles: [90],
  });
  const centre = [
    affine![0] * 1.5 + affine![1] * 1.5 + affine![2],
    affine![3] * 1.5 + affine![4] * 1.5 + affine![5],
  ];
  expect(centre).toBeAllClose([15, 9.5]);
  expect(affine!.slice(0, 2)).toEqual([0, -2.5]);
});

test("a step for each view: the same middle at three scales", () => {
  const scales = { ...winner, size: 53, angles: [0, 45, 0], step: [3, 8, 1] };
  const views = viewAffines({ ...scales, before: affineFromDraw(draw, source) });
  scales.step.forEach((step, view) => {
    const alone = { ...scales, angles: [scales.angles[view]!], step };
    expect(views[view]).toEqual(viewAffines({ ...alone, before: affineFromDraw(draw, source) })[0]);
  });
  // The whole frame at an eighth, and the middle 53 pixels as they are.
  expect(viewAffines({ ...scales, angles: [0, 0, 0] })).toEqual([
    [3, 0, 133.5, 0, 3, 133.5],
    [8, 0, 3.5, 0, 8, 3.5],
    [1, 0, 185.5, 0, 1, 185.5],
  ]);
});

test("golden pixels of the image 10 row + column", () => {
  const image = ndarray(new Float32Array(424 * 424), [424, 424, 1]);
  for (let y = 0; y < 424; y++) for (let x = 0; x < 424; x++) image.set(y, x, 0, 10 * y + x);
  const views = extractViews(image, viewAffines(winner), { size: 69 });
  expect(views.shape).toEqual([2, 69, 69, 1]);
  expect(views.get(0, 0, 0, 0)).toBe(1204.5);
  expect(views.get(0, 34, 34, 0)).toBe(2326.5);
  expect(views.get(1, 34, 34, 0)).toBeCloseTo(2326.5, 3);
});

test("each view is the warp of its affine, border and all, written into out", () => {
  const rng = createRng(1);
  const image = ndarray(
    Uint8Array.from({ length: 8 * 9 * 3 }, () => rng.int(256)),
    [8, 9, 3],
  );
  const affines: Affine[] = [
    translation(-2, 3),
    compose(translation(1, 1), [0.5, 0.2, 0, -0.2, 0.5, 0]),
  ];
  const out = ndarray(new Float32Array(2 * 5 * 5 * 3), [2, 5, 5, 3]);
  expect(extractViews(image, affines, { size: 5, border: "wrap", out })).toBe(out);
  const each = affines.map((affine) => [
    ...warp(image, affine, { height: 5, width: 5, border: "wrap" }).data,
  ]);
  expect([...out.data]).toEqual(each.flat());
  for (const border of ["reflect", "constant"] as const) {
    const options = border === "constant" ? ({ border, fill: 0.25 } as const) : {};
    const sizes = { height: 5, width: 5 };
    expect([...extractViews(image, affines, { size: 5, ...options }).data]).toEqual(
      affines.flatMap((affine) => [...warp(image, affine, { ...sizes, ...options }).data]),
    );
  }
});

test("arguments are checked", () => {
  const affines = (options: Partial<ViewOptions>) => () => viewAffines({ ...winner, ...options });
  expect(affines({ size: 0 })).toThrow(
    "viewAffines: expected a positive integer for size but got 0",
  );
  expect(affines({ step: -3 })).toThrow(
    "viewAffines: expected a positive number for step but got -3",
  );
  expect(affines({ step: [3, 0] })).toThrow(
    "viewAffines: expected a positive number for step but got 0",
  );
  expect(affines({ step: [3, 8, 1] })).toThrow(
    "viewAffines: expected one number or 2 for step but got [3, 8, 1]",
  );
  expect(affines({ source: { width: 1.5, height: 4 } })).toThrow(
    "viewAffines: expected a positive integer for source.width but got 1.5",
  );
  expect(affines({ source: { width: 4, height: 0 } })).toThrow(
    "viewAffines: expected a positive integer for source.height but got 0",
  );
  expect(affines({ step: undefined as never })).toThrow(
    new TypeError("viewAffines: expected a positive number for step but got undefined"),
  );
  expect(affines({ angles: 45 as never })).toThrow(
    "viewAffines: expected a list of degrees for angles but got 45",
  );
  expect(affines({ angles: [0, Number.NaN] })).toThrow(
    "viewAffines: expected a finite number for an angle but got NaN",
  );
  expect(affines({ before: [] as never })).toThrow(
    "viewAffines: expected six finite numbers for before but got []",
  );
  const image = ndarray(new Uint8Array(12), [2, 2, 3]);
  expect(() => extractViews(undefined as never, [identity], { size: 2 })).toThrow(
    "extractViews: expected an ndarray [height, width, channels] of uint8 or float32 for image but got undefined",
  );
  expect(() => extractViews(image, [identity, [1, 2] as never], { size: 2 })).toThrow(
    "extractViews: expected six finite numbers for an affine but got [1, 2]",
  );
  expect(() => extractViews(image, [], { size: 2 })).toThrow(
    "extractViews: expected at least one affine for affines but got []",
  );
  expect(() => extractViews(image, [identity], { size: 1.5 })).toThrow(
    "extractViews: expected a positive integer for size but got 1.5",
  );
  expect(() => extractViews(image, [identity], { size: "2" as never })).toThrow(
    'extractViews: expected a positive integer for size but got "2"',
  );
  const out = ndarray(new Float32Array(4), [2, 2]);
  expect(() => extractViews(image, [identity], { size: 2, out })).toThrow(
    "extractViews: expected a float32 ndarray [1, 2, 2, 3] for out but got float32 [2, 2]",
  );
  expect(() =>
    extractViews(ndarray(new Uint8Array(4), [2, 2]) as never, [identity], { size: 2 }),
  ).toThrow("for image but got uint8 [2, 2]");
});
