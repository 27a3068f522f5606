/** What is inside of a network: how it takes turned galaxies, its first filters, and what excites its units. */
import type { QuestionTree } from "@gz/galaxies";
import { formatCount, formatRmse } from "../cli/format.ts";
import type { Look } from "../evaluation/look.ts";
import { answerName, placedQuestions, questionName } from "../evaluation/questions.ts";
import type { ReportData } from "./collect.ts";
import { turningCurve } from "./evaluation-plots.ts";
import { type EvaluationPictures, EXCITING, type LookedAt, lookedAt } from "./evaluations.ts";
import { type Html, html } from "./html.ts";
import { comparisons } from "./plots.ts";

export function networkSection(
  { evaluations }: ReportData,
  pictures: EvaluationPictures,
): Html | undefined {
  const looked = lookedAt(evaluations);
  if (!looked) return undefined;
  const { look, tree } = looked.evaluation;
  return html`${turning(looked, pictures.large)}
${look.filters && filters(look.filters, pictures.filters)}
<h3>What excites its units</h3>
<p>For answers of the tree, and for the ${formatCount(look.units.filter(({ kind }) => kind === "feature").length)} features below the head that move the answers most: the picture that excites it most, found by climbing from noise among pictures that are as bright and as coloured as galaxies are, and, to its right, the ${EXCITING} of ${formatCount(look.searched)} validation galaxies that do.</p>
<div class="units">${look.units.map((unit, i) => unitFigure(unit, tree, pictures.maximised[i]!, pictures.small))}</div>`;
}

function turning(
  { title, evaluation: { look, tree } }: LookedAt,
  pictures: ReadonlyMap<number, string>,
): Html {
  const { before, after, galaxies, questions, examples } = look.equivariance;
  const rows = placedQuestions(tree).map(({ question }, q) => ({
    label: `${q + 1} ${questionName(question)}`,
    from: questions[q]!.before,
    to: questions[q]!.after,
  }));
  return html`<p>Of ${title}. Turning or mirroring a galaxy should change nothing. Over 12 turns, each also mirrored, of ${formatCount(galaxies)} galaxies, the standard deviation of a single prediction <span class="key"><i class="ring"></i></span> is <strong>${formatRmse(before)}</strong>; of means over 8, quarter turns and mirrors <span class="key"><i class="dot"></i></span>, <strong>${formatRmse(after)}</strong>.</p>
<figure>${comparisons("Standard deviation of predictions over turns and mirrors, single ones and means of 8", rows, { zero: true, axis: "standard deviation" })}</figure>
<h3>What turning changes most</h3>
<p class="legend"><span><i style="background:var(--series-1)"></i>turned</span> <span><i style="background:var(--series-2)"></i>mirrored and turned</span> <span><i class="dashed"></i>the volunteers</span></p>
<div class="turned">${examples.map((example) => {
    const name = answerName(tree, example.column);
    const picture = pictures.get(example.id);
    return html`<figure>${
      picture !== undefined &&
      html`<img src="${picture}" alt="Galaxy ${example.id}" width="160" height="160" loading="lazy">`
    }<div>${turningCurve(`Prediction over the turn of galaxy ${example.id}: ${name}`, example)}<figcaption><strong>${example.id}</strong> ${name}</figcaption></div></figure>
`;
  })}</div>`;
}

function filters({ count, side }: NonNullable<Look["filters"]>, pictures: readonly string[]): Html {
  return html`<h3>Its first filters</h3>
<p>The ${formatCount(count)} kernels of the first convolution, ${side} x ${side} weights for each colour: grey is 0, the largest weight black or white.</p>
<div class="filters">${pictures.map((picture, i) => html`<img src="${picture}" alt="Filter ${i + 1}" width="${side}" height="${side}">`)}</div>`;
}

function unitFigure(
  { kind, index, towards, galaxies }: Look["units"][number],
  tree: QuestionTree,
  maximised: string,
  pictures: ReadonlyMap<number, string>,
): Html {
  const name = kind === "answer" ? answerName(tree, index) : `feature ${index}`;
  const towardsText = towards.map((column) => answerName(tree, column)).join(", ");
  return html`<figure><div><img class="most" src="${maximised}" alt="What excites ${name}" width="112" height="112" loading="lazy">${galaxies
    .slice(0, EXCITING)
    .flatMap(({ id }) => {
      const picture = pictures.get(id);
      return picture === undefined
        ? []
        : [html`<img src="${picture}" alt="Galaxy ${id}" width="72" height="72" loading="lazy">`];
    })}</div><figcaption>${kind === "answer" ? html`<strong>${name}</strong>` : html`${name}: towards ${towardsText}`}</figcaption></figure>
`;
}
