/** Pictures: the galaxies that the network gets best and worst, with their votes, and a strip for the head. */
import { COLUMNS, type Dataset, KAGGLE_TREE } from "@gz/galaxies";
import { formatRmse, formatVote } from "../cli/format.ts";
import { galaxyRmse, shortName } from "../evaluation/scores.ts";
import type { ReportData } from "./collect.ts";
import { type Html, html } from "./html.ts";
import { galaxyPicture } from "./pictures.ts";
import { drawTree } from "./tree-drawing.ts";

const SHOWN = 6;
const STRIP = 10;

/** Galaxies to show, as rows of the validation part. */
export interface Chosen {
  best: number[];
  worst: number[];
  strip: number[];
}

export function chooseGalaxies({ truth, judged }: ReportData): Chosen {
  const count = truth?.ids.length ?? 0;
  const strip = Array.from({ length: Math.min(STRIP, count) }, (_, i) =>
    Math.floor((i * count) / Math.min(STRIP, count)),
  );
  if (!truth || !judged) return { best: [], worst: [], strip };
  const errors = galaxyRmse(judged.values, truth.labels);
  const order = errors.map((_, row) => row).sort((a, b) => errors[a]! - errors[b]!);
  const each = Math.min(SHOWN, Math.floor(count / 2));
  return { best: order.slice(0, each), worst: order.slice(count - each).reverse(), strip };
}

/** By validation row, the picture as a data URI. */
export type Pictures = ReadonlyMap<number, string>;

/** The middle of each galaxy's image, 192 pixels wide (strip: 96), as small JPEGs. */
export async function takePictures(
  dataset: Dataset,
  { truth }: ReportData,
  { best, worst, strip }: Chosen,
): Promise<Pictures> {
  const pictures = new Map<number, string>();
  const take = async (row: number, size: number) => {
    pictures.set(row, await galaxyPicture(dataset, truth!.ids[row]!, size));
  };
  for (const row of strip) await take(row, 96);
  for (const row of [...best, ...worst]) await take(row, 192);
  return pictures;
}

export function galaxyStrip(
  { truth }: ReportData,
  { strip }: Chosen,
  pictures: Pictures,
): Html | undefined {
  if (!truth || strip.length === 0) return undefined;
  return html`<div class="strip" aria-hidden="true">${strip.map((row) => html`<img src="${pictures.get(row)!}" alt="" width="96" height="96">`)}</div>`;
}

export function gallerySection(
  data: ReportData,
  { best, worst }: Chosen,
  pictures: Pictures,
): Html | undefined {
  const { truth, judged } = data;
  if (!truth || !judged || best.length === 0) return undefined;
  const errors = galaxyRmse(judged.values, truth.labels);
  const cards = (rows: readonly number[]) =>
    html`<div class="gallery">${rows.map((row) => card(data, row, errors[row]!, pictures.get(row)!))}</div>`;
  return html`<p>Of the ${truth.ids.length} validation galaxies, those that ${judged.title} gets most nearly right, and those it gets most wrong.
Each row is a question, indented under the answer that leads to it, and its bars are as long as the share of people who were asked.
Beside each picture, its three largest errors, true → predicted.</p>
<p class="legend"><span><i class="thick"></i>the volunteers</span> <span><i class="thin"></i>the network</span></p>
<h3>Best</h3>
${cards(best)}
<h3>Worst</h3>
${cards(worst)}`;
}

function card({ truth, judged }: ReportData, row: number, error: number, picture: string): Html {
  const width = COLUMNS.length;
  const votes = truth!.labels.subarray(row * width, (row + 1) * width);
  const predicted = judged!.values.subarray(row * width, (row + 1) * width);
  return html`<article class="card">
<div class="portrait"><img src="${picture}" alt="Galaxy ${truth!.ids[row]}" width="160" height="160" loading="lazy">
<p><strong>${truth!.ids[row]}</strong><br>RMSE ${formatRmse(error)}</p>
<dl>${farthest(votes, predicted)}</dl></div>
${drawTree(votes, predicted)}
</article>`;
}

/** The answers with the largest errors: true fraction, then predicted. */
function farthest(votes: Float32Array, predicted: Float32Array): Html[] {
  const names = KAGGLE_TREE.flatMap((question) =>
    question.answerTexts!.map((answer) => ({ question: shortName(question), answer })),
  );
  return COLUMNS.map((_, k) => k)
    .sort((a, b) => Math.abs(predicted[b]! - votes[b]!) - Math.abs(predicted[a]! - votes[a]!))
    .slice(0, 3)
    .map(
      (k) =>
        html`<dt>${names[k]!.question}</dt><dd>${names[k]!.answer} ${formatVote(votes[k]!)} → ${formatVote(predicted[k]!)}</dd>`,
    );
}
