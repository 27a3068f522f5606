import * as augment from "@gz/augment";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import { readmeExample, runExample } from "../../../test/readme.ts";

test("exports these and no others", () => {
  expect(Object.keys(augment).sort()).toEqual([
    "DIELEMAN_COLOR",
    "about",
    "addColor",
    "addNoise",
    "affineFromDraw",
    "apply",
    "applyGamma",
    "compose",
    "createRng",
    "fitColor",
    "flip",
    "identity",
    "identityDraw",
    "invert",
    "rotation",
    "sampleColor",
    "sampleDraw",
    "sampleGamma",
    "scaling",
    "shearing",
    "translation",
    "warp",
  ]);
});

test("the README's example runs as pasted", async () => {
  const example = await readmeExample(new URL("../README.md", import.meta.url));
  const printed = await runExample(example, { "@gz/augment": augment, ndarray });
  expect(printed).toMatchInlineSnapshot(`
    [
      "turned by 162.6 degrees, zoomed by 0.774",
      "64 x 64 x 3, red at the centre 0.940",
    ]
  `);
});

test("whatever draws takes its rng first, and the same seed gives the same picture", () => {
  const { createRng, sampleDraw, sampleColor, affineFromDraw, warp, addColor } = augment;
  const source = createRng(1);
  const size = { width: 40, height: 30 };
  const image = ndarray(
    Uint8Array.from({ length: 40 * 30 * 3 }, () => source.int(256)),
    [30, 40, 3],
  );
  const basis = augment.fitColor([image]);
  const augmented = (...seeds: number[]): Float32Array => {
    const rng = createRng(...seeds);
    const draw = sampleDraw(rng, { zoom: 1.2, rotation: [0, 360], shear: [-5, 5], flip: true });
    const out = warp(image, affineFromDraw(draw, size), { border: "wrap" });
    return addColor(out, sampleColor(rng, basis, 0.1), { out }).data;
  };
  expect(augmented(3, 14, 15)).toEqual(augmented(3, 14, 15));
  expect(augmented(3, 14, 15)).not.toEqual(augmented(3, 14, 16));
});

test("a logged draw replays its picture", () => {
  const draw = augment.sampleDraw(augment.createRng(9), {
    zoom: 2,
    rotation: [-30, 30],
    translation: 3,
  });
  const size = { width: 8, height: 6 };
  const replayed = augment.affineFromDraw(JSON.parse(JSON.stringify(draw)), size);
  expect(replayed).toEqual(augment.affineFromDraw(draw, size));
});
