/** What blending gains: ways to weigh members, what each member is worth, and who errs like whom. */
import { KAGGLE_TREE } from "@gz/galaxies";
import type { BlendResult, BlendScores } from "../blending/blend-result.ts";
import { MEANINGS, overfits, type Strategy, WEIGHTS } from "../blending/strategies.ts";
import { formatChange, formatCount, formatRmse, formatVote } from "../cli/format.ts";
import { placedQuestions } from "../evaluation/questions.ts";
import { shortName } from "../evaluation/scores.ts";
import type { ReportData } from "./collect.ts";
import { heatMap } from "./heat-map.ts";
import { type Html, html } from "./html.ts";
import { comparisons } from "./plots.ts";

/** Heat maps of more members need the whole width. */
const SIDE_BY_SIDE = 7;

type Scored = BlendResult & { scores: BlendScores };

export function blendSection({ blend }: ReportData): Html | undefined {
  if (!blend) return undefined;
  const { result, file } = blend;
  const written = html`<p>${formatCount(result.rows)} galaxies in <code>${file}</code>, by ${result.strategy} weights: ${MEANINGS[result.strategy]}.`;
  if (!isScored(result))
    return html`${written}</p>
${membersTable(result)}
<p class="missing">Blended without labels, so nothing is scored: <code>kaggle blend --labels DIR</code> does.</p>`;
  const { rows, chosen } = result.scores;
  return html`${written} ${
    chosen === "by score" && result.members.length > 1
      ? html`They were chosen because they score lowest on unseen folds, and the lowest of several figures flatters. ${choiceOf(result)}`
      : chosen === "as asked" && "They were asked for."
  }</p>
${result.warnings.map((warning) => html`<p class="missing">${warning}.</p>`)}
${strategies(result)}
<h3>What each member is worth</h3>
<p>The RMSE of the blend without the member, its weights fitted anew, less that with it, on unseen folds: above zero the member helps. One that is good alone may be worth nothing beside another that errs like it.</p>
${membersTable(result)}
${
  result.members.length > 1 &&
  html`<div${result.members.length <= SIDE_BY_SIDE && html` class="pair"`}><div><h3>Who errs like whom</h3>
${correlations(result)}</div>
<div><h3>Which member for which question</h3>
${questionWeights(result)}</div></div>
<details><summary>Weights of every strategy</summary>
${weightsTable(result)}</details>`
}
<p class="small">Folds are fifths of the ${formatCount(rows)} labelled galaxies of ${result.scores.labels}, shuffled.</p>`;
}

/** The honest figure for a strategy that was chosen by its score, and how sure the choice is. */
function choiceOf({ scores: { choice } }: Scored): Html {
  const { rmse, withoutFold } = choice;
  const counts = WEIGHTS.flatMap((strategy) => {
    const count = withoutFold.filter((own) => own === strategy).length;
    return count > 0 ? [`${strategy} ${count}`] : [];
  });
  return html`With the choice, too, made anew on the other folds for each fold, the RMSE is <strong>${score(rmse)}</strong>: what new galaxies will show. The choices of the ${withoutFold.length} folds: ${counts.join(", ")}.`;
}

function isScored(result: BlendResult): result is Scored {
  return result.scores !== undefined;
}

/** Every strategy in sample and on unseen folds, as a drawing and a table. */
function strategies({ scores, strategy: chosen }: Scored): Html {
  const best = Math.min(...scores.members.map(({ rmse }) => rmse));
  const rows = scores.strategies.map(({ strategy, rmse, crossValidatedRmse }) => ({
    label: strategy,
    from: rmse,
    to: crossValidatedRmse,
  }));
  return html`<p>Each way to weigh the members, scored on the galaxies that its weights were fitted to <span class="key"><i class="ring"></i></span> and, fold by fold, on galaxies that they were not <span class="key"><i class="dot"></i></span>, which is what new galaxies will show of that strategy. The further apart the two, the more the weights over-fit. The best member alone: <span class="key"><i class="dash"></i></span>.</p>
<figure>${comparisons("RMSE of each strategy, in sample and on unseen folds", rows, { zero: false, rule: best })}</figure>
<div class="scroll"><table>
<thead><tr><th>Weights</th><th class="n">Unseen folds</th><th class="n">In sample</th><th class="n">Fitted</th></tr></thead>
<tbody>${scores.strategies.map(
    (found) =>
      html`<tr${found.strategy === chosen ? html` class="chosen"` : undefined}><td class="wrap">${found.strategy}<span class="small"> ${MEANINGS[found.strategy]}${overfits(found, scores.rows) && "; more weights than galaxies: over-fits"}</span></td><td class="n">${score(found.crossValidatedRmse)}</td><td class="n">${score(found.rmse)}</td><td class="n">${formatCount(found.fitted)}</td></tr>
`,
  )}</tbody></table></div>`;
}

/** A fifth digit: strategies differ by less than members. */
function score(value: number): string {
  return value.toFixed(5);
}

function membersTable({ members, weights, scores }: BlendResult): Html {
  return html`<div class="scroll"><table>
<thead><tr><th></th><th>Member</th><th class="n">RMSE</th><th class="n">Worth</th><th class="n">Weight</th><th class="n">Worth in sample</th></tr></thead>
<tbody>${members.map(({ name }, m) => {
    const { rmse, value, crossValidatedValue } = scores?.members[m] ?? {};
    return html`<tr><td class="n">${m + 1}</td><td>${name}</td><td class="n">${formatRmse(rmse)}</td><td class="n">${worth(crossValidatedValue)}</td><td class="n">${weightOf(weights, m)}</td><td class="n">${worth(value)}</td></tr>
`;
  })}</tbody></table></div>`;
}

function worth(value: number | undefined): string {
  if (value === undefined) return "–";
  return Number(value.toFixed(5)) === 0 ? "0" : formatChange(value, 5);
}

/** One weight, or its range over the answers. */
function weightOf(weights: readonly (readonly number[])[], member: number): string {
  const own = weights.map((row) => row[member]!);
  const [low, high] = [Math.min(...own), Math.max(...own)];
  return low === high ? low.toFixed(3) : `${low.toFixed(2)} to ${high.toFixed(2)}`;
}

function correlations({ members, scores }: Scored): Html {
  const { correlation } = scores;
  const others = correlation.flatMap((line, i) => line.filter((_, j) => i !== j));
  const low = Math.min(...others);
  const [a, b] = pairOf(correlation, low);
  return html`<p>Correlation of two members' errors, over all galaxies and answers. Averaging gains most where it is low: lowest between ${members[a]!.name} and ${members[b]!.name}, ${low.toFixed(3)}. The stronger the colour, the more alike.</p>
<figure>${heatMap("Correlation of the members' errors", {
    rows: members.map(({ name }, i) => `${i + 1} ${name}`),
    columns: members.map((_, i) => String(i + 1)),
    values: correlation.map((line, i) => line.map((value, j) => (i === j ? undefined : value))),
    range: [Math.floor(low * 20) / 20, Math.max(...others)],
    format: (value) => value.toFixed(2).replace("0.", "."),
  })}</figure>`;
}

function pairOf(table: readonly (readonly number[])[], value: number): [number, number] {
  const row = table.findIndex((line, i) => line.some((v, j) => i !== j && v === value));
  return [row, table[row]!.findIndex((v, j) => j !== row && v === value)];
}

function questionWeights({ members, scores }: Scored): Html {
  const { weights } = scores.strategies.find(({ strategy }) => strategy === "question")!;
  const byQuestion = placedQuestions(KAGGLE_TREE).map(({ first }) => weights[first]!);
  return html`<p>Least-squares weights of the members for the answers of each question, whether or not they were used.</p>
<figure>${heatMap("Weights of the members for each question", {
    rows: KAGGLE_TREE.map((question) => `${question.name.slice(1)} ${shortName(question)}`),
    columns: members.map((_, i) => String(i + 1)),
    values: byQuestion,
    range: [0, Math.max(...byQuestion.flat())],
    format: formatVote,
  })}</figure>`;
}

function weightsTable({ members, scores }: Scored): Html {
  const all: readonly Strategy[] = scores.strategies;
  return html`<div class="scroll"><table>
<thead><tr><th>Member</th>${all.map(({ strategy }) => html`<th class="n">${strategy}</th>`)}</tr></thead>
<tbody>${members.map(
    ({ name }, m) =>
      html`<tr><td>${name}</td>${all.map(({ weights }) => html`<td class="n">${weightOf(weights, m)}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}
