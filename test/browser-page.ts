import {
  addColor,
  affineFromDraw,
  createRng,
  fitColor,
  sampleColor,
  sampleDraw,
} from "@gz/augment";
import { applyBlend, blend, createMean, transforms } from "@gz/ensemble";
import { extractParts, extractViews, partLayout, viewAffines } from "@gz/views";
import ndarray from "ndarray";

/** Every number that @gz/augment, @gz/views and @gz/ensemble give for one picture: run by Node and by a browser. */
export function compute(): Record<string, number[]> {
  const rng = createRng(2014, 4, 4);
  const source = { width: 120, height: 100 };
  const bytes = Uint8ClampedArray.from({ length: 120 * 100 * 4 }, () => rng.normal(128, 60));
  const canvas = ndarray(bytes, [100, 120, 4]); // as getImageData gives it
  const image = canvas.hi(100, 120, 3);

  const draw = sampleDraw(rng, {
    zoom: 1.3,
    rotation: [0, 360],
    shear: [-9, 9],
    translation: 4,
    flip: true,
  });
  const before = affineFromDraw(draw, source);
  const affines = viewAffines({ source, size: 33, step: 3, angles: [0, 45], before });
  const views = extractViews(image, affines, { size: 33 });
  const basis = fitColor([image]);
  const color = sampleColor(rng, basis, 0.5);
  for (let view = 0; view < 2; view++) addColor(views.pick(view), color, { out: views.pick(view) });
  const parts = extractParts(views, { partSize: 21 });

  // Two models that see the centre of the picture under eight transforms, blended.
  const labels = Float32Array.from({ length: 50 }, () => rng.uniform());
  const members = ["first", "second"].map((name) => {
    const mean = createMean(labels.length);
    for (const { rotation } of transforms({ rotations: [0, 90, 180, 270], flips: [false, true] }))
      mean.add(labels.map((y) => y + rng.normal(rotation / 1000, 0.1)));
    return { name, values: Float32Array.from(mean.value()) };
  });
  const blended = blend(members, labels, { columns: 2, weights: "column" });
  return {
    affines: affines.flat(),
    components: basis.components.flat(),
    color,
    parts: [...parts.data],
    layout: partLayout({ affines, size: 33 }).flatMap((part) => [...part.affine]),
    weights: [...blended.weights].flatMap((row) => [...row]),
    scores: [blended.rmse, blended.crossValidatedRmse],
    blended: [...applyBlend(blended, members)],
  };
}
