import * as augment from "@gz/augment";
import * as views from "@gz/views";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import { readmeExample, runExample } from "../../../test/readme.ts";

test("exports these and no others", () => {
  expect(Object.keys(views).sort()).toEqual([
    "distinctParts",
    "extractParts",
    "extractViews",
    "mirrorViews",
    "partLayout",
    "viewAffines",
  ]);
});

test("the README's example runs as pasted", async () => {
  const example = await readmeExample(new URL("../README.md", import.meta.url));
  const modules = { "@gz/augment": augment, "@gz/views": views, ndarray };
  expect(await runExample(example, modules)).toMatchInlineSnapshot(`
    [
      "2 x 69 x 69 x 3 -> 16 x 45 x 45 x 3",
      "part 13 is view 1, mirrored: true, 1 quarter turn",
      "the dot: 203, 218",
    ]
  `);
});

test("sixteen parts of an image of a user: grey, oblong, any strides", () => {
  const rng = augment.createRng(1);
  const planes = ndarray(
    Float32Array.from({ length: 50 * 80 }, () => rng.uniform()),
    [1, 80, 50],
  );
  const image = planes.transpose(2, 1, 0); // [50, 80, 1]
  const affines = views.viewAffines({
    source: { width: 80, height: 50 },
    size: 20,
    step: 2,
    angles: [0, 45],
  });
  const parts = views.extractParts(views.extractViews(image, affines, { size: 20 }), {
    partSize: 12,
  });
  expect(parts.shape).toEqual([16, 12, 12, 1]);
  // View 0 without turning samples whole pixels: 2 x + 20.5, so the mean of four.
  const four = [image.get(5, 20, 0), image.get(5, 21, 0), image.get(6, 20, 0), image.get(6, 21, 0)];
  expect(parts.get(0, 0, 0, 0)).toBeCloseTo(four.reduce((a, b) => a + b) / 4, 6);
});
