/** How far predictions can be trusted: what kaggle evaluate found without looking at a network. */
import type { QuestionTree } from "@gz/galaxies";
import { formatCount, formatPercent, formatRmse } from "../cli/format.ts";
import type { QuestionAgreement } from "../evaluation/agreement.ts";
import type { Extreme } from "../evaluation/extremes.ts";
import { answerText, placedQuestions, questionName } from "../evaluation/questions.ts";
import type { ReportData } from "./collect.ts";
import { agreementCurve, reliabilityChart } from "./evaluation-plots.ts";
import type { Evaluated, EvaluationPictures } from "./evaluations.ts";
import { type Html, html } from "./html.ts";
import { mistakesGallery } from "./mistakes.ts";

/** Agreements of which the table shows the accuracy. */
const SHOWN = [0, 0.5, 0.8];
/** Sums further off than float32's rounding break the tree's rule. */
const ROUNDING = 1e-5;

export function trustSection(
  { evaluations }: ReportData,
  pictures: EvaluationPictures,
): Html | undefined {
  const [first] = evaluations;
  if (!first) return undefined;
  const { judgement, tree, fitted } = first.evaluation;
  return html`<p>By <code>kaggle evaluate</code>. ${evaluations.length > 1 ? "Below the table, all is" : "All is"} of ${first.title}, over ${formatCount(judgement.galaxies)} labelled galaxies.</p>
${fitted !== undefined && html`<p class="missing">${formatCount(fitted)} weights of ${first.title} were fitted to these very galaxies, so its figures here are a little better than new galaxies will show.</p>`}
${evaluations.map(outdated)}
${overview(evaluations)}
<h3>Right where volunteers agree</h3>
<p>How much volunteers agree about a galaxy is a(p) = 1 − H(p) / log n, by the entropy H of their votes p for a question's n answers: 1 where all say the same, 0 where every answer has as many votes (Dieleman, Willett and Dambre 2015). The line <span class="key"><i class="dot"></i></span> is how often the network's favourite answer is theirs among galaxies of at least the agreement below it; dashed, the same for the one answer that is most often theirs; grey, the share of galaxies that are left. A question counts for the galaxies, as many as stand beside its name, of which half of the volunteers or more came to it.</p>
<div class="curves">${placedQuestions(tree).map(({ question }, q) =>
    agreementFigure(q, questionName(question), judgement.agreement[q]!),
  )}</div>
<h3>Question by question</h3>
${questionTable(first, tree)}
<div class="pair"><div><h3>Do fractions mean what they say?</h3>
<p>Of all answers predicted at 0.3, volunteers should give 0.3 on average: the diagonal. Each dot is a tenth of the range, the larger the more predictions (logarithmic). Predictions are off by <strong>${judgement.reliability.calibrationError.toFixed(4)}</strong> on average.</p>
<figure>${reliabilityChart("Mean of the volunteers over the predicted fraction", judgement.reliability)}</figure></div>
<div><h3>Hard zeros and ones</h3>
<p>Answers that nobody gave, or everybody: a network that hedges pays for it here.</p>
${extremesTable(judgement.zeros, judgement.ones)}
<h3>The tree's rule</h3>
${treeRule(first)}</div></div>
${mistakesGallery(first, pictures.large)}`;
}

function outdated({ title, file, now, evaluation }: Evaluated): Html | undefined {
  if (now === undefined) return undefined;
  return html`<p class="missing">${title}: <code>${file}</code> is of other predictions than there are now (RMSE ${formatRmse(evaluation.judgement.rmse)}, now ${formatRmse(now)}); <code>kaggle evaluate</code> judges them anew.</p>`;
}

/** All that were evaluated, a row each. */
function overview(evaluations: readonly Evaluated[]): Html {
  return html`<div class="scroll"><table>
<thead><tr><th></th><th class="n">Galaxies</th><th class="n">RMSE</th><th class="n" title="Mean distance of a fraction from what volunteers say, by tenths">Fractions off by</th><th class="n">Zeros hit</th><th class="n">Ones hit</th><th class="n">Sums off by</th><th class="n" title="Standard deviation of a prediction over turns and mirrors">Turning, single</th><th class="n" title="The same of means over 8: quarter turns and mirrors">Turning, mean of 8</th></tr></thead>
<tbody>${evaluations.map(({ title, evaluation: { judgement, look } }) => {
    const { galaxies, rmse, reliability, zeros, ones, violation } = judgement;
    return html`<tr><td>${title}</td><td class="n">${formatCount(galaxies)}</td><td class="n">${rmse.toFixed(5)}</td><td class="n">${reliability.calibrationError.toFixed(4)}</td><td class="n">${share(zeros.near)}</td><td class="n">${share(ones.near)}</td><td class="n">${formatSmall(violation.sum)}</td><td class="n">${formatRmse(look?.equivariance.before)}</td><td class="n">${formatRmse(look?.equivariance.after)}</td></tr>
`;
  })}</tbody></table></div>`;
}

function agreementFigure(q: number, name: string, agreement: QuestionAgreement): Html {
  const caption = html`<figcaption><strong><span class="number">${q + 1}</span>${name}</strong>`;
  if (agreement.points.length === 0)
    return html`<figure>${caption}<span>0</span></figcaption></figure>`;
  return html`<figure>${caption}<span>${formatCount(agreement.asked)}</span></figcaption>${agreementCurve(`Accuracy by agreement: ${name}`, agreement)}</figure>`;
}

function questionTable({ evaluation: { judgement } }: Evaluated, tree: QuestionTree): Html {
  const { questions, answers, agreement, questionReliability } = judgement;
  return html`<p>Asked: galaxies of which half of the volunteers came to the question. Right: how often their favourite answer is the network's, of all these and of those that agree. Under each question, the RMSE of its answers.</p>
<div class="scroll"><table class="judged">
<thead><tr><th>Question</th><th class="n">RMSE</th><th class="n extra">Asked</th>${SHOWN.map((threshold) => html`<th class="${columnClass(threshold)}">${threshold === 0 ? "Right" : `agree ≥ ${threshold}`}</th>`)}<th class="n">Fractions off by</th></tr></thead>
${placedQuestions(tree).map(
  ({ question, first }, q) => html`<tbody>
<tr><th scope="row"><span class="number">${q + 1}</span>${questionName(question)}</th><td class="n">${formatRmse(questions[q])}</td><td class="n extra">${formatCount(agreement[q]!.asked)}</td>${SHOWN.map((threshold) => html`<td class="${columnClass(threshold)}">${accuracy(agreement[q]!, threshold)}</td>`)}<td class="n">${questionReliability[q]!.calibrationError.toFixed(4)}</td></tr>
<tr><td class="wrap small" colspan="${4 + SHOWN.length}">${question.answers
    .map((_, k) => `${answerText(question, k)} ${formatRmse(answers[first + k])}`)
    .join(" · ")}</td></tr>
</tbody>`,
)}
</table></div>`;
}

/** A phone has no room for the middle of the curve. */
function columnClass(threshold: number): string {
  return threshold === SHOWN[1] ? "n extra" : "n";
}

function accuracy({ points }: QuestionAgreement, threshold: number): string {
  const point = points.find((p) => p.threshold === threshold);
  return point ? formatPercent(point.accuracy, 1) : "–";
}

function extremesTable(zeros: Extreme, ones: Extreme): Html {
  const row = (name: string, of: (extreme: Extreme) => string) =>
    html`<tr><th scope="row">${name}</th><td class="n">${of(zeros)}</td><td class="n">${of(ones)}</td></tr>
`;
  return html`<div class="scroll"><table class="extremes">
<thead><tr><th></th><th class="n">Labels of 0</th><th class="n">Labels of 1</th></tr></thead>
<tbody>${[
    row("how many", ({ labels }) => formatCount(labels)),
    row("mean prediction", ({ mean }) => formatRmse(mean)),
    row("RMSE", ({ rmse }) => formatRmse(rmse)),
    row("within 0.01", ({ near }) => share(near)),
    row("exact", ({ exact }) => share(exact)),
    row("share of all squared error", ({ errorShare }) => share(errorShare)),
  ]}</tbody></table></div>`;
}

function treeRule({ evaluation: { tree, judgement, fitted } }: Evaluated): Html {
  const { sum, range, questions } = judgement.violation;
  const worst = tree[questions.indexOf(sum)];
  return html`<p>A question's answers add up to the answers that lead to it. Their sums are off by at most <strong>${formatSmall(sum)}</strong>, ${
    sum > ROUNDING && worst ? `at question ${questionName(worst)}` : "which is rounding"
  }; ${range > 0 ? `predictions leave 0 to 1 by up to ${formatSmall(range)}` : "all predictions lie within 0 to 1"}.${fitted !== undefined && sum > ROUNDING && " Weights that differ from answer to answer do that to members that keep the rule."}</p>`;
}

function share(value: number | undefined): string {
  return value === undefined ? "–" : formatPercent(value, 1);
}

/** 2.4 × 10⁻⁷ as 2.4e-7; 0.125 as it is. */
function formatSmall(value: number): string {
  if (value === 0) return "0";
  return value < 0.001 ? value.toExponential(1) : value.toFixed(4);
}
