/** Errors question by question and answer by answer beside the mean label, and predicted against true. */
import { COLUMNS, KAGGLE_TREE } from "@gz/galaxies";
import { formatPercent, formatRmse } from "../cli/format.ts";
import { columnRmse, questionRmse, shortName } from "../evaluation/scores.ts";
import type { ReportData } from "./collect.ts";
import { type Html, html } from "./html.ts";
import { comparisons, density } from "./plots.ts";

export function answersSection({ truth, judged }: ReportData): Html | undefined {
  if (!truth || !judged) return undefined;
  const model = columnRmse(judged.values, truth.labels);
  const baseline = columnRmse(truth.baseline.values, truth.labels);
  const byQuestion = { model: questionRmse(model), baseline: questionRmse(baseline) };
  const rows = KAGGLE_TREE.map((question, q) => ({
    label: `${question.name.slice(1)} ${shortName(question)}`,
    from: byQuestion.baseline[q]!,
    to: byQuestion.model[q]!,
  }));
  const largest = Math.max(...model, ...baseline);
  const percent = (value: number) => `${((100 * value) / largest).toFixed(1)}%`;
  return html`<p>Errors of ${judged.title} <span class="key"><i class="dot"></i></span> beside those of the mean label <span class="key"><i class="ring"></i></span>. Questions far down the tree have small errors because few people get to them; “explained” is the share of the variance about the mean label, whatever its size.</p>
<figure>${comparisons("RMSE per question, beside the mean label", rows, { zero: true })}</figure>
<div class="scroll"><table class="answers">
<thead><tr><th>Answer</th><th class="n bar-column" colspan="2">RMSE</th><th class="n">Mean label</th><th class="n" title="1 − MSE / MSE of the mean label">Explained</th><th class="n vote">Mean vote</th></tr></thead>
${KAGGLE_TREE.map(
  ({ name, text, answers, answerTexts }, q) => html`<tbody>
<tr class="question"><th colspan="2" scope="rowgroup"><span class="number">${name.slice(1)}</span>${text}</th><td class="n">${formatRmse(byQuestion.model[q])}</td><td class="n">${formatRmse(byQuestion.baseline[q])}</td><td class="n">${explained(byQuestion.model[q]!, byQuestion.baseline[q]!)}</td><td class="vote"></td></tr>
${answers.map((answer, a) => {
  const k = COLUMNS.indexOf(answer);
  return html`<tr data-answer="${answer}"><td>${answerTexts![a]}</td><td class="bar-column"><span class="bar" style="--model:${percent(model[k]!)};--baseline:${percent(baseline[k]!)}"></span></td><td class="n">${formatRmse(model[k])}</td><td class="n">${formatRmse(baseline[k])}</td><td class="n">${explained(model[k]!, baseline[k]!)}</td><td class="n vote">${formatPercent(meanVote(truth.labels, k), 1)}</td></tr>
`;
})}</tbody>`,
)}
</table></div>`;
}

/** Share of the variance about the mean label that the predictions explain. */
function explained(model: number, baseline: number): string {
  return formatPercent(1 - (model / baseline) ** 2);
}

function meanVote(labels: Float32Array, column: number): number {
  const values = columnOf(labels, column);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function columnOf(values: Float32Array, column: number): number[] {
  return Array.from(
    { length: values.length / COLUMNS.length },
    (_, row) => values[row * COLUMNS.length + column]!,
  );
}

export function agreementSection({ truth, judged }: ReportData): Html | undefined {
  if (!truth || !judged) return undefined;
  const model = columnRmse(judged.values, truth.labels);
  return html`<p>Each square is an answer: true vote fraction to the right, predicted upwards, both from 0 to 1. The stronger the colour, the more galaxies (logarithmic); a perfect network fills the diagonal.</p>
<div class="densities">${KAGGLE_TREE.map(
    (question) =>
      html`<section><h3><span class="number">${question.name.slice(1)}</span>${shortName(question)}</h3><div>${question.answers.map(
        (answer, a) => {
          const k = COLUMNS.indexOf(answer);
          const text = question.answerTexts![a]!;
          return html`<figure>${density(`Predicted against true: ${text}`, columnOf(truth.labels, k), columnOf(judged.values, k))}<figcaption>${text}<span>${formatRmse(model[k])}</span></figcaption></figure>`;
        },
      )}</div></section>`,
  )}</div>`;
}
