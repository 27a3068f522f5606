import ndarray from "ndarray";
import { expect, test } from "vitest";
import color from "../test/fixtures/color.json" with { type: "json" };
import { DIELEMAN_COLOR, fitColor } from "./color-basis.ts";
import type { Image } from "./image.ts";

const pixels = ndarray(Uint8Array.from(color.pixels), [6, 10, 3]);

test("components are NumPy's eigenvectors times the roots of its eigenvalues", () => {
  const { components } = fitColor([pixels]);
  expect(components.flat()).toBeAllClose(color.components.flat(), { rtol: 1e-9, atol: 1e-12 });
});

test("images of any split, type and strides give the same basis, from a generator too", () => {
  const floats = ndarray(
    Float32Array.from(color.pixels, (v) => v / 255),
    [6, 10, 3],
  );
  function* halves(): Generator<Image> {
    yield pixels.hi(6, 4).transpose(1, 0);
    yield floats.lo(0, 4).step(-1, 1);
  }
  const whole = fitColor([pixels]).components.flat();
  expect(fitColor(halves()).components.flat()).toBeAllClose(whole, { rtol: 1e-6, atol: 1e-9 });
});

test("only the strongest components are kept on request", () => {
  const { components } = fitColor([pixels], { components: 1 });
  expect(components).toEqual([fitColor([pixels]).components[0]]);
});

test("an image of one colour has components of length 0", () => {
  const grey = ndarray(new Uint8Array(12).fill(77), [2, 2, 3]);
  expect(fitColor([grey]).components.flat()).toBeAllClose(new Array(9).fill(0), { atol: 1e-7 });
});

test("the winner's basis cannot be changed for everyone else", () => {
  const { components } = DIELEMAN_COLOR;
  for (const part of [DIELEMAN_COLOR, components, components[0]])
    expect(Object.isFrozen(part)).toBe(true);
});

test("arguments are checked", () => {
  const grey = ndarray(new Uint8Array(4), [2, 2, 1]);
  expect(() => fitColor([])).toThrow("fitColor: expected at least one image but got none");
  expect(() => fitColor(pixels as never)).toThrow(
    "fitColor: expected a list of images for images but got uint8 [6, 10, 3]",
  );
  expect(() => fitColor([pixels, grey])).toThrow(
    "fitColor: expected 3 channels for an image but got uint8 [2, 2, 1]",
  );
  for (const value of [Number.NaN, -Infinity])
    expect(() => fitColor([ndarray(Float32Array.of(0, value, 1), [1, 1, 3])])).toThrow(
      "fitColor: expected finite pixels for images but got NaN or infinite ones",
    );
  expect(() => fitColor([pixels], { components: 4 })).toThrow(
    "fitColor: expected an integer from 1 to 3 for components but got 4",
  );
});
