import { affineFromDraw, createRng, type Draw, identityDraw, warp } from "@gz/augment";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import { distinctParts } from "./distinct-parts.ts";
import { extractParts, partLayout } from "./parts.ts";
import { extractViews, viewAffines } from "./views.ts";

const source = { width: 424, height: 424 };
const affinesOf = (draws: readonly Draw[], angles = [0, 45]) =>
  draws.flatMap((draw) =>
    viewAffines({ source, size: 69, step: 3, angles, before: affineFromDraw(draw, source) }),
  );
const grid = (zooms: number[], rotations: number[], flips = [false, true]): Draw[] =>
  zooms.flatMap((zoom) =>
    rotations.flatMap((rotation) =>
      flips.map((flip) => ({ ...identityDraw, zoom, rotation, flip })),
    ),
  );

// 3 zooms x 40 angles (36 k + 45 j degrees and their quarter turns) x 2 mirrors.
test("30 of the winner's 120 views have all of the 240 different parts among his 960", () => {
  const rotations = Array.from({ length: 10 }, (_, k) => 36 * k);
  const affines = affinesOf(grid([1 / 1.2, 1, 1.2], rotations));
  const { views, parts } = distinctParts({ affines, size: 69, partSize: 45 });
  expect(views).toHaveLength(30);
  expect(parts).toHaveLength(960);
  expect([...new Set(parts)].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 240 }, (_, i) => i),
  );
});

test("a part is where the needed views have it, in the image and in its pixels", () => {
  const rng = createRng(3);
  const image = ndarray(
    Uint8Array.from({ length: 424 * 424 }, () => rng.int(256)),
    [424, 424, 1],
  );
  const draws = grid([1, 0.9], [0, 90, 45.5, 315.5]).map((draw, i) => ({
    ...draw,
    // Another place, the same for whole pairs of draws: mirrored parts of moved views are not the plain ones.
    translation: [i % 4 < 2 ? 1.25 : 0, 0] as const,
  }));
  const affines = affinesOf(draws);
  const { views, parts } = distinctParts({ affines, size: 69, partSize: 45 });
  expect(views.length).toBeLessThan(affines.length);
  const all = extractParts(extractViews(image, affines, { size: 69 }), { partSize: 45 });
  const needed = views.map((view) => affines[view]!);
  const fewer = extractParts(extractViews(image, needed, { size: 69 }), { partSize: 45 });
  const length = 45 * 45;
  parts.forEach((from, part) => {
    expect(fewer.data.subarray(from * length, (from + 1) * length)).toBeAllClose(
      all.data.subarray(part * length, (part + 1) * length),
      { atol: 2e-6, rtol: 0 },
    );
  });
  const layout = partLayout({ affines: needed, size: 69 });
  const direct = warp(image, layout[parts[100]!]!.affine, { height: 45, width: 45 });
  expect(direct.data).toBeAllClose(all.data.subarray(100 * length, 101 * length), {
    atol: 2e-6,
    rtol: 0,
  });
});

test("without mirrors a mirrored view has parts of its own", () => {
  const affines = affinesOf(grid([1], [0, 90, 180, 270]), [0]);
  expect(distinctParts({ affines, size: 69, partSize: 45 }).views).toEqual([0]);
  const { views, parts } = distinctParts({ affines, size: 69, partSize: 45, mirror: false });
  expect(views).toEqual([0, 1]);
  expect([...parts].sort((a, b) => a - b)).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((p) => [p, p, p, p]),
  );
});

test("rounding makes no difference, a thousandth of a pixel or of a degree does", () => {
  const [plain] = affinesOf([identityDraw], [0]);
  const moved = (by: number) => [...plain!.slice(0, 5), plain![5] + by] as unknown as typeof plain;
  for (const rounding of [1e-12, -1e-12, 3e-7])
    expect(
      distinctParts({ affines: [plain!, moved(rounding)!], size: 69, partSize: 45 }).views,
    ).toEqual([0]);
  expect(distinctParts({ affines: [plain!, moved(1e-3)!], size: 69, partSize: 45 }).views).toEqual([
    0, 1,
  ]);
  const turned = affinesOf([identityDraw], [0, 0.001]);
  expect(distinctParts({ affines: turned, size: 69, partSize: 45 }).views).toEqual([0, 1]);
});

test("arguments are checked", () => {
  const affines = affinesOf([identityDraw]);
  expect(() => distinctParts({ affines: [], size: 69, partSize: 45 })).toThrow(
    "distinctParts: expected at least one affine for affines but got []",
  );
  const nan = [1, 0, Number.NaN, 0, 1, 0] as const;
  expect(() => distinctParts({ affines: [nan], size: 69, partSize: 45 })).toThrow(
    "distinctParts: expected six finite numbers for an affine but got [1, 0, NaN, 0, 1, 0]",
  );
  expect(() => distinctParts({ affines, size: 0, partSize: 45 })).toThrow(
    "distinctParts: expected a positive integer for size but got 0",
  );
  expect(() => distinctParts({ affines, size: 69, partSize: 70 })).toThrow(
    "distinctParts: expected an integer from 1 to 69 for partSize but got 70",
  );
});
