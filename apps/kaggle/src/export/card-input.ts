/** The part of a model card that says what goes into the network: in words, as affines, and as a program that runs. */
import { inspect } from "node:util";
import {
  hasSymmetries,
  IMAGE_SIZE,
  inputAffines,
  inputShape,
  viewGeometry,
} from "../images/input.ts";
import type { Recipe } from "../recipe/recipe.ts";

/** In words and numbers, so that it can be made again in any language. */
export function inputSection(recipe: Recipe): string {
  const { fit, shrink, size, span, angles, centre } = recipe.input;
  const spans = [span].flat().map((side) => `${side} x ${side}`);
  const shape = inputShape(recipe, 1).slice(1).join(", ");
  const side = IMAGE_SIZE / shrink;
  const steps = [
    `An RGB image of ${IMAGE_SIZE} x ${IMAGE_SIZE} pixels, a byte a channel${fit === "cover" ? "; of one of another size the largest centred square, resampled (Lanczos)" : ""}.`,
    ...(shrink === 1
      ? []
      : [
          `Shrunk to ${side} x ${side}: every pixel the mean of ${shrink} x ${shrink}, rounded half up.`,
        ]),
    ...(centre
      ? [
          `Centred: the galaxy that photometry finds on the green channel of the full-size image, ${centre.threshold} standard deviations above the background, is moved to the middle and brought to a Petrosian radius of ${centre.radius} pixels of the full size, by a factor of at most ${centre.limit}; where none is found the image stays as it is. This and the next step are one interpolation.`,
        ]
      : []),
    `${angles.length === 1 ? "One view" : `${angles.length} views`} of ${size} x ${size} pixels over the middle ${spans.join(", ")} of the full size: pixel (x, y) is read at (a x + b y + c, d x + e y + f) of the ${shrink === 1 ? "" : "shrunk "}image, bilinearly and mirrored beyond its border; x to the right, y down, pixel centres at integers.`,
    `Values from 0 to 1 (bytes / 255).${firstLayers(recipe)}`,
  ];
  const affines = inputAffines(recipe).map(
    (affine, view) =>
      `| ${angles[view]}° | ${affine.map((v) => Number(v.toFixed(6))).join(" | ")} |`,
  );
  return `## Input

float32 [batch, ${shape}]: views, rows, columns, RGB.

${steps.map((step, i) => `${i + 1}. ${step}`).join("\n")}

| view | a | b | c | d | e | f |
| --- | --- | --- | --- | --- | --- | --- |
${affines.join("\n")}

Training turned, mirrored, shifted, scaled and coloured the galaxies by as much as the recipe's \`augment\` says.${
    hasSymmetries(recipe)
      ? "\nThe network looks at every view in its eight quarter turns and mirror images, and takes the mean of what it finds."
      : ""
  }
`;
}

/** What the network itself does to values before anything is learnt. */
function firstLayers({ input: { contrast, polar, scale, offset } }: Recipe): string {
  const done = [
    ...(contrast ? ["normalises the local contrast"] : []),
    ...(polar ? ["takes polar coordinates about the middle"] : []),
    ...(scale !== 1 || offset !== 0
      ? [`makes ${scale} v ${offset < 0 ? "-" : "+"} ${Math.abs(offset)} of a value v`]
      : []),
  ];
  return done.length === 0 ? "" : ` Nothing more: the first layer ${done.join(", the next ")}.`;
}

/** Loads the model and asks it about one image: an ES module for Node. */
export function exampleProgram(recipe: Recipe): string {
  const { fit, shrink, centre } = recipe.input;
  const { source, ...geometry } = viewGeometry(recipe);
  const galaxies = ["decode", ...(shrink === 1 ? [] : ["shrink"])];
  if (centre) galaxies.unshift("centreDraw", "chooseGalaxy");
  if (centre) galaxies.push("detectSources");
  const lines = [
    `import { readFile } from "node:fs/promises";`,
    ...(centre ? [`import { affineFromDraw } from "@gz/augment";`] : []),
    `import { ${galaxies.sort().join(", ")} } from "@gz/galaxies";`,
    `import "@gz/layers"; // makes its layers known to loadLayersModel`,
    `import { extractViews, viewAffines } from "@gz/views";`,
    `import * as tf from "@tensorflow/tfjs";`,
    "",
    `const model = await tf.loadLayersModel("https://example.org/model.json"); // wherever this folder lies`,
    `const image = await decode(await readFile("galaxy.jpg")${fit ? `, { fit: "${fit}" }` : ""});`,
    `const source = ${inspect(source)};`,
    ...(centre ? centring(shrink, centre) : []),
    `const geometry = ${inspect(geometry)};`,
    `const affines = viewAffines({ source, ...geometry${centre ? ", before" : ""} });`,
    `const views = extractViews(${shrink === 1 ? "image" : `shrink(image, ${shrink})`}, affines, geometry);`,
    "",
    `const [answers] = model.predict(tf.tensor(views.data, [1, ...views.shape])).arraySync();`,
    `const columns = model.getLayer("tree").tree.flatMap((question) => question.answers);`,
    `for (const [k, column] of columns.entries()) console.log(column, answers[k]);`,
  ];
  return `${lines.join("\n")}\n`;
}

function centring(shrink: number, centre: NonNullable<Recipe["input"]["centre"]>): string[] {
  const { threshold, radius, limit } = centre;
  const scaled = shrink === 1 ? "t" : `t / ${shrink}`;
  return [
    `const full = { width: ${IMAGE_SIZE}, height: ${IMAGE_SIZE} };`,
    `const sources = detectSources(image.pick(null, null, 1), { threshold: ${threshold} });`,
    `const { translation, ...zoom } = centreDraw(chooseGalaxy(sources, full), { ...full, radius: ${radius}, limit: ${limit} });`,
    `const before = affineFromDraw({ ...zoom, translation: translation.map((t) => ${scaled}) }, source);`,
  ];
}
