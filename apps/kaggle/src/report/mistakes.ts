/** The galaxies about which clear majorities of volunteers are contradicted most, a card each. */
import type { QuestionTree } from "@gz/galaxies";
import { formatPercent } from "../cli/format.ts";
import type { Mistake } from "../evaluation/evaluation-file.ts";
import { answerText, questionName, questionOf } from "../evaluation/questions.ts";
import type { Evaluated } from "./evaluations.ts";
import { type Html, html } from "./html.ts";

export function mistakesGallery(
  { title, evaluation }: Evaluated,
  pictures: ReadonlyMap<number, string>,
): Html {
  const { mistakes } = evaluation;
  if (mistakes.length === 0)
    return html`<h3>Worst mistakes</h3>
<p>Where volunteers agree (a(p) ≥ 0.5), ${title} contradicts them about no galaxy.</p>`;
  return html`<h3>Worst mistakes</h3>
<p>Clear majorities (a(p) ≥ 0.5) that ${title} contradicts, the worst first: shares of the answers among those who came to the question. Some of these are the volunteers' mistakes.</p>
<p class="legend"><span><i class="volunteers"></i>the volunteers</span> <span><i class="network"></i>the network</span></p>
<div class="mistakes">${mistakes.map((mistake) => card(mistake, evaluation.tree, pictures.get(mistake.id)))}</div>`;
}

function card(
  { id, volunteers, network, votes, predicted }: Mistake,
  tree: QuestionTree,
  picture: string | undefined,
): Html {
  const { question, first } = questionOf(tree, volunteers);
  const answer = (column: number, side: 0 | 1) => {
    const [vote, guess] = [formatPercent(votes[side]), formatPercent(predicted[side])];
    return html`<div class="answer"><p>${answerText(question, column - first)}<span>${vote} → ${guess}</span></p><i class="volunteers" style="--share:${percentOf(votes[side])}"></i><i class="network" style="--share:${percentOf(predicted[side])}"></i></div>`;
  };
  return html`<article class="mistake">${
    picture !== undefined &&
    html`<img src="${picture}" alt="Galaxy ${id}" width="160" height="160" loading="lazy">`
  }<div><p class="name"><strong>${id}</strong> ${questionName(question)}</p>${answer(volunteers, 0)}${answer(network, 1)}</div></article>
`;
}

/** For a style: never outside of its box. */
function percentOf(share: number): string {
  return `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
}
