import fc from "fast-check";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import { shrink } from "./shrink.ts";

test("means of 2 x 2 pixels, rounded half up, for each channel", () => {
  // channel 0 has sums 1, 2, 3 of 4; channel 1 is 100 more
  const channel0 = [
    [0, 0, 1, 1, 1, 1],
    [0, 1, 0, 0, 1, 0],
  ];
  const image = ndarray(new Uint8Array(24), [2, 6, 2]);
  channel0.forEach((row, y) => {
    row.forEach((value, x) => {
      image.set(y, x, 0, value);
      image.set(y, x, 1, 100 + value);
    });
  });
  const half = shrink(image, 2);
  expect(half.shape).toEqual([1, 3, 2]);
  expect([...half.data]).toEqual([0, 100, 1, 101, 1, 101]); // 0.25, 0.5, 0.75
});

test("by 1 nothing changes, white stays white", () => {
  const image = ndarray(
    Uint8Array.from({ length: 27 }, (_, i) => 9 * i),
    [3, 3, 3],
  );
  expect([...shrink(image, 1).data]).toEqual([...image.data]);
  const white = ndarray(new Uint8Array(36 * 36 * 3).fill(255), [36, 36, 3]);
  for (const factor of [2, 3, 4, 6, 9, 12, 18, 36])
    expect(new Set(shrink(white, factor).data)).toEqual(new Set([255]));
});

test("any strides: the transposed image shrinks to the transposed result", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 6 * 12 * 3, maxLength: 6 * 12 * 3 }),
      fc.constantFrom(2, 3),
      (data, factor) => {
        const image = ndarray(data, [6, 12, 3]);
        const plain = shrink(image, factor);
        const turned = shrink(image.transpose(1, 0, 2), factor).transpose(1, 0, 2);
        for (let y = 0; y < 6 / factor; y++)
          for (let x = 0; x < 12 / factor; x++)
            for (let c = 0; c < 3; c++) {
              let sum = 0;
              for (let dy = 0; dy < factor; dy++)
                for (let dx = 0; dx < factor; dx++)
                  sum += image.get(y * factor + dy, x * factor + dx, c);
              expect(plain.get(y, x, c)).toBe(Math.floor(sum / factor ** 2 + 0.5));
              expect(turned.get(y, x, c)).toBe(plain.get(y, x, c));
            }
      },
    ),
    { numRuns: 20 },
  );
});

test("what does not divide is refused", () => {
  const image = ndarray(new Uint8Array(424 * 424 * 3), [424, 424, 3]);
  for (const factor of [3, 0, -2, 1.5, Number.NaN])
    expect(() => shrink(image, factor)).toThrow(
      `shrink: expected an integer that divides 424 and 424 for factor but got ${factor}`,
    );
  expect(() => shrink(ndarray(new Uint8Array(4), [2, 2]), 2)).toThrow(
    "shrink: expected uint8 [height, width, channels] for image but got uint8 [2, 2]",
  );
  // Means of 0..1 would all be stored as 0.
  expect(() => shrink(ndarray(new Float32Array(12), [2, 2, 3]) as never, 2)).toThrow(
    "shrink: expected uint8 [height, width, channels] for image but got float32 [2, 2, 3]",
  );
});
