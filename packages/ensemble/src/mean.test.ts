import fc from "fast-check";
import { expect, test } from "vitest";
import { createMean } from "./mean.ts";

test("equals the arithmetic mean taken over all arrays at once, to the last bit of float32", () => {
  const float32 = fc.float({ min: 0, max: 1, noNaN: true });
  const arrays = fc.array(fc.array(float32, { minLength: 5, maxLength: 5 }), { minLength: 1 });
  fc.assert(
    fc.property(arrays, (lists) => {
      const mean = createMean(5);
      for (const list of lists) mean.add(Float32Array.from(list));
      const expected = [0, 1, 2, 3, 4].map((i) =>
        Math.fround(lists.reduce((sum, list) => sum + list[i]!, 0) / lists.length),
      );
      expect([...mean.value()]).toEqual(expected);
      expect(mean.count).toBe(lists.length);
    }),
  );
});

test("60 additions do not pile up float32 rounding", () => {
  const mean = createMean(1);
  const single = new Float32Array(1); // what a float32 running sum would give
  for (let i = 0; i < 60; i++) {
    mean.add([0.1]);
    single[0]! += Math.fround(0.1);
  }
  expect(mean.value()[0]).toBe(Math.fround(0.1));
  expect(single[0]! / 60).not.toBe(Math.fround(0.1));
});

test("keeps nothing of what was added, may be read at any time and writes into out", () => {
  const mean = createMean(2);
  const reused = new Float32Array([1, 2]);
  mean.add(reused);
  const out = new Float32Array(2);
  expect(mean.value(out)).toBe(out);
  expect([...out]).toEqual([1, 2]);
  reused.set([3, 6]);
  mean.add(reused);
  expect([...mean.value(out)]).toEqual([2, 4]);
  expect([...mean.value()]).toEqual([2, 4]);
});

test("refuses wrong lengths, numbers that are not finite, and a mean of nothing", () => {
  expect(() => createMean(0)).toThrow(
    "createMean: expected an integer of at least 1 for length but got 0",
  );
  const mean = createMean(2);
  expect(() => mean.value()).toThrow("value: expected at least one add before but got none");
  expect(() => mean.add([1])).toThrow("add: expected 2 numbers for values but got 1");
  expect(() => mean.add(undefined as never)).toThrow(
    new TypeError("add: expected an array of numbers for values but got undefined"),
  );
  mean.add([1, 2]);
  expect(() => mean.add([5, Number.NaN])).toThrow(
    "add: expected finite numbers for values but got NaN at index 1",
  );
  expect([...mean.value()]).toEqual([1, 2]);
  expect(() => mean.value(new Float32Array(3))).toThrow(
    "value: expected 2 numbers for out but got 3",
  );
});
