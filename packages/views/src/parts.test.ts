import { affineFromDraw, createRng, warp } from "@gz/augment";
import ndarray, { type NdArray } from "ndarray";
import { expect, test } from "vitest";
import numpy from "../test/fixtures/parts.json" with { type: "json" };
import { extractParts, mirrorViews, partLayout } from "./parts.ts";
import { extractViews, viewAffines } from "./views.ts";

const views = ndarray(Float32Array.from(numpy.views), numpy.shape);

test("parts are numpy.rot90's, view by view, mirror by mirror, turn by turn", () => {
  const parts = extractParts(views, { partSize: numpy.partSize });
  expect(parts.shape).toEqual([16, 3, 3, 2]);
  expect([...parts.data]).toEqual(numpy.parts);
});

test("without mirrors, parts of a view are the first four of its eight", () => {
  const parts = extractParts(views, { partSize: 3, mirror: false });
  expect([...parts.data]).toEqual([...numpy.parts.slice(0, 72), ...numpy.parts.slice(144, 216)]);
});

test("golden corners, as specified from the winner's published code", () => {
  const view = ndarray(new Float32Array(69 * 69 * 2), [1, 69, 69, 2]); // V[r][c] = (r, c)
  for (let r = 0; r < 69; r++)
    for (let c = 0; c < 69; c++) {
      view.set(0, r, c, 0, r);
      view.set(0, r, c, 1, c);
    }
  const parts = extractParts(view, { partSize: 45 });
  const at = (part: number, i: number, j: number): number[] => [
    parts.get(part, i, j, 0),
    parts.get(part, i, j, 1),
  ];
  const corners = [0, 1, 2, 3].map((k) => [at(k, 0, 0), at(k, 0, 44), at(k, 44, 0), at(k, 44, 44)]);
  expect(corners).toEqual([
    [
      [0, 0],
      [0, 44],
      [44, 0],
      [44, 44],
    ],
    [
      [0, 68],
      [44, 68],
      [0, 24],
      [44, 24],
    ],
    [
      [68, 68],
      [68, 24],
      [24, 68],
      [24, 24],
    ],
    [
      [68, 0],
      [24, 0],
      [68, 44],
      [24, 44],
    ],
  ]);
  for (let part = 0; part < 8; part++) expect(at(part, 34, 34)).toEqual([34, 34]);
});

test("mirrored views follow their originals, and give the same parts", () => {
  const both = mirrorViews(views);
  expect(both.shape).toEqual([4, 5, 5, 2]);
  for (let r = 0; r < 5; r++)
    for (let c = 0; c < 5; c++) {
      expect(both.get(2, r, c, 1)).toBe(views.get(1, r, c, 1));
      expect(both.get(3, r, c, 1)).toBe(views.get(1, r, 4 - c, 1));
    }
  expect([...extractParts(both, { partSize: 3, mirror: false }).data]).toEqual(numpy.parts);
});

test("strides do not matter, and out is filled in place", () => {
  const planes = ndarray(new Float32Array(views.size), [2, 2, 5, 5]).transpose(0, 2, 3, 1);
  for (let v = 0; v < 2; v++)
    for (let y = 0; y < 5; y++)
      for (let x = 0; x < 5; x++)
        for (let c = 0; c < 2; c++) planes.set(v, y, x, c, views.get(v, y, x, c));
  const batch = ndarray(new Float32Array(2 * 16 * 3 * 3 * 2), [2, 16, 3, 3, 2]);
  const out = batch.pick(1) as NdArray<Float32Array>;
  expect(extractParts(planes, { partSize: 3, out })).toBe(out);
  expect([...batch.data.subarray(288)]).toEqual(numpy.parts);
  const mirrors = ndarray(new Float32Array(2 * views.size), [4, 5, 5, 2]);
  expect([...mirrorViews(planes, { out: mirrors }).data]).toEqual([...mirrorViews(views).data]);
});

test.each([true, false])(
  "warping the image by a part's affine gives the part (mirror: %s)",
  (mirror) => {
    const rng = createRng(2);
    const image = ndarray(
      Uint8Array.from({ length: 90 * 80 * 3 }, () => rng.int(256)),
      [90, 80, 3],
    );
    const source = { width: 80, height: 90 };
    const draw = { zoom: 0.9, rotation: 77, shear: 5, translation: [3, -2], flip: true } as const;
    const affines = viewAffines({
      source,
      size: 21,
      step: 3,
      angles: [0, 45, 200],
      before: affineFromDraw(draw, source),
    });
    const parts = extractParts(extractViews(image, affines, { size: 21 }), {
      partSize: 14,
      mirror,
    });
    const layout = partLayout({ affines, size: 21, mirror });
    expect(layout).toHaveLength(parts.shape[0]!);
    for (const [p, { view, mirror: mirrored, quarterTurns, affine }] of layout.entries()) {
      expect(p).toBe(
        mirror ? 8 * view + 4 * Number(mirrored) + quarterTurns : 4 * view + quarterTurns,
      );
      const direct = warp(image, affine, { height: 14, width: 14 });
      const size = 14 * 14 * 3;
      expect(direct.data).toBeAllClose(parts.data.subarray(p * size, (p + 1) * size), {
        atol: 1e-6,
        rtol: 0,
      });
    }
  },
);

test("out may not lie within the views", () => {
  const data = new Float32Array(4 * views.size);
  const both = ndarray(data, [2, 5, 5, 2]);
  const after = (start: number) => ndarray(data, [4, 5, 5, 2], [50, 10, 2, 1], start);
  expect(mirrorViews(both, { out: after(views.size) }).shape).toEqual([4, 5, 5, 2]);
  expect(() => mirrorViews(both, { out: after(views.size - 1) })).toThrow(
    new RangeError("mirrorViews: expected memory of its own for out but got the views'"),
  );
  const parts = ndarray(data, [16, 2, 2, 2]);
  expect(() => extractParts(both, { partSize: 2, out: parts })).toThrow(
    "extractParts: expected memory of its own for out but got the views'",
  );
});

test("arguments are checked", () => {
  const what = "a float32 ndarray [views, size, size, channels]";
  const oblong = ndarray(new Float32Array(24), [1, 4, 3, 2]);
  expect(() => extractParts(oblong, { partSize: 2 })).toThrow(
    `extractParts: expected ${what} for views but got float32 [1, 4, 3, 2]`,
  );
  expect(() => mirrorViews(ndarray(new Uint8Array(4), [1, 2, 2, 1]) as never)).toThrow(
    `mirrorViews: expected ${what} for views but got uint8 [1, 2, 2, 1]`,
  );
  expect(() => mirrorViews(null as never)).toThrow("for views but got null");
  expect(() => extractParts(views, { partSize: 6 })).toThrow(
    "extractParts: expected an integer from 1 to 5 for partSize but got 6",
  );
  const out = ndarray(new Float32Array(18), [1, 3, 3, 2]);
  expect(() => extractParts(views, { partSize: 3, out })).toThrow(
    "extractParts: expected a float32 ndarray [16, 3, 3, 2] for out but got float32 [1, 3, 3, 2]",
  );
  expect(() => mirrorViews(views, { out })).toThrow(
    "mirrorViews: expected a float32 ndarray [4, 5, 5, 2] for out but got float32 [1, 3, 3, 2]",
  );
  const short = ndarray(new Float32Array(99), [2, 5, 5, 2]);
  expect(() => extractParts(short, { partSize: 3 })).toThrow(
    "extractParts: expected data with the indices 0 to 99 for views but got 99 numbers",
  );
  expect(() => mirrorViews(views, { out: ndarray(new Float32Array(199), [4, 5, 5, 2]) })).toThrow(
    "mirrorViews: expected data with the indices 0 to 199 for out but got 199 numbers",
  );
  expect(() => partLayout({ affines: [[1, 0, 0, 0, 1, Infinity]], size: 2 })).toThrow(
    "partLayout: expected six finite numbers for an affine but got [1, 0, 0, 0, 1, Infinity]",
  );
  expect(() => partLayout({ affines: undefined as never, size: 2 })).toThrow(
    "partLayout: expected a list of affines for affines but got undefined",
  );
  expect(() => partLayout({ affines: [], size: 0 })).toThrow(
    "partLayout: expected a positive integer for size but got 0",
  );
});
