import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Affine,
  about,
  apply,
  compose,
  flip,
  identity,
  invert,
  rotation,
  scaling,
  shearing,
  translation,
} from "./affine.ts";

const number = fc.double({ min: -10, max: 10, noNaN: true });
const anyAffine = fc
  .tuple(number, number, number, number, number, number)
  .filter(([a, b, , d, e]) => Math.abs(a * e - b * d) > 0.01);

test("rotation turns x towards y, exactly by quarters", () => {
  expect(rotation(90)).toEqual([0, -1, 0, 1, 0, 0]);
  expect(rotation(-180)).toEqual([-1, 0, 0, 0, -1, 0]);
  expect(apply(rotation(30), 2, 0)).toBeAllClose([Math.sqrt(3), 1], { atol: 1e-15, rtol: 0 });
});

test("scaling, shearing, translation and flip are these matrices", () => {
  expect(scaling(3)).toEqual([3, 0, 0, 0, 3, 0]);
  expect(scaling(3, 2)).toEqual([3, 0, 0, 0, 2, 0]);
  expect(shearing(30)).toBeAllClose([1, -0.5, 0, 0, Math.sqrt(3) / 2, 0], { atol: 1e-15, rtol: 0 });
  expect(translation(5, -6)).toEqual([1, 0, 5, 0, 1, -6]);
  expect(flip()).toEqual([-1, 0, 0, 0, 1, 0]);
});

test("the rightmost of a composition is applied first", () => {
  expect(apply(compose(translation(10, 0), scaling(2)), 1, 1)).toEqual([12, 2]);
  expect(apply(compose(scaling(2), translation(10, 0)), 1, 1)).toEqual([22, 2]);
  expect(compose()).toEqual(identity);
});

test("a composition applies like its members one after the other", () => {
  fc.assert(
    fc.property(anyAffine, anyAffine, number, number, (A, B, x, y) => {
      const direct = apply(compose(A, B), x, y);
      expect(direct).toBeAllClose(apply(A, ...apply(B, x, y)), { atol: 1e-10, rtol: 0 });
    }),
  );
});

test("an affine and its inverse compose to the identity", () => {
  fc.assert(
    fc.property(anyAffine, (A) => {
      expect(compose(A, invert(A))).toBeAllClose(identity, { atol: 1e-9, rtol: 0 });
      expect(compose(invert(A), A)).toBeAllClose(identity, { atol: 1e-9, rtol: 0 });
    }),
  );
});

test("an inverse holds no -0, so that equal affines are equal", () => {
  expect(invert(identity)).toEqual(identity);
  expect(invert(flip())).toEqual(flip());
});

test("about keeps its point in place", () => {
  fc.assert(
    fc.property(number, number, number, (x, y, degrees) => {
      const turned = about(x, y, compose(rotation(degrees), scaling(2)));
      expect(apply(turned, x, y)).toBeAllClose([x, y], { atol: 1e-12, rtol: 0 });
    }),
  );
});

test("arguments are checked", () => {
  const flat: Affine = [1, 2, 0, 2, 4, 0];
  expect(() => invert(flat)).toThrow(
    new RangeError(
      "invert: expected an affine that can be inverted for affine but got [1, 2, 0, 2, 4, 0]",
    ),
  );
  const huge: Affine = [1e200, 0, 5, 0, 1e200, 5];
  expect(() => invert(huge)).toThrow("invert: expected an affine that can be inverted");
  expect(() => invert([1e-200, 0, 1e200, 0, 1, 0])).toThrow("an affine that can be inverted");
  const nan: Affine = [1, 0, Number.NaN, 0, 1, 0];
  const six = "expected six finite numbers for";
  expect(() => invert(nan)).toThrow(
    new RangeError(`invert: ${six} affine but got [1, 0, NaN, 0, 1, 0]`),
  );
  expect(() => apply([] as never, 1, 2)).toThrow(new TypeError(`apply: ${six} affine but got []`));
  expect(() => about(1, 2, nan)).toThrow(`about: ${six} affine but got [1, 0, NaN, 0, 1, 0]`);
  expect(() => about(Number.NaN, 2, identity)).toThrow(
    "about: expected a finite number for x but got NaN",
  );
  expect(() => compose(identity, undefined as never)).toThrow(
    new TypeError(`compose: ${six} an affine but got undefined`),
  );
  expect(() => rotation("30" as never)).toThrow(
    new TypeError('rotation: expected a finite number for degrees but got "30"'),
  );
  expect(() => rotation(Number.NaN)).toThrow(
    "rotation: expected a finite number for degrees but got NaN",
  );
  expect(() => scaling(1, Infinity)).toThrow(
    "scaling: expected a finite number for sy but got Infinity",
  );
  expect(() => shearing(-Infinity)).toThrow(
    "shearing: expected a finite number for degrees but got -Infinity",
  );
  expect(() => translation(0, Number.NaN)).toThrow(
    "translation: expected a finite number for y but got NaN",
  );
});
