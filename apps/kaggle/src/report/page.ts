/** The page, section by section; what cannot be shown yet says which command makes it. */
import { agreementSection, answersSection } from "./answers.ts";
import { blendSection } from "./blend-section.ts";
import type { ReportData } from "./collect.ts";
import { curvesSection } from "./curves.ts";
import type { EvaluationPictures } from "./evaluations.ts";
import { transformsSection } from "./gains.ts";
import { type Chosen, galaxyStrip, gallerySection, type Pictures } from "./gallery.ts";
import { type Html, html, raw } from "./html.ts";
import { commandsSection, recipeSection, speedSection } from "./making.ts";
import { networkSection } from "./network-section.ts";
import { STYLE } from "./style.ts";
import { header } from "./summary.ts";
import { trustSection } from "./trust-section.ts";

export function page(
  data: ReportData,
  chosen: Chosen,
  pictures: Pictures,
  evaluationPictures: EvaluationPictures,
): string {
  const { folder } = data.runs[0]!.run;
  const predict = data.truth
    ? html`No predictions of the validation galaxies yet: <code>kaggle predict --run ${folder} --split valid</code> makes them.`
    : html`The labels of <code>${data.data.path}</code> are not to be had; say where they are: <code>kaggle report --data DIR</code>.`;
  const sections = [
    section(
      "curves",
      "Learning curves",
      curvesSection(data),
      html`Nothing logged yet: <code>kaggle train --resume</code> goes on.`,
    ),
    section("answers", "Errors by question and answer", answersSection(data), predict),
    section("agreement", "Predicted against true", agreementSection(data), predict),
    section("galaxies", "Best and worst galaxies", gallerySection(data, chosen, pictures), predict),
    section(
      "trust",
      "How far to trust it",
      trustSection(data, evaluationPictures),
      html`Not judged yet: <code>kaggle evaluate ${folder}</code> does, of a blend <code>kaggle evaluate submission.csv</code>.`,
    ),
    section(
      "network",
      "Inside the network",
      networkSection(data, evaluationPictures),
      html`No network was looked at yet: <code>kaggle evaluate ${folder}</code> turns galaxies, and shows filters and what excites units.`,
    ),
    section("transforms", "What transforms gain", transformsSection(data), predict),
    section(
      "blend",
      "What blending gains",
      blendSection(data),
      html`No blend: <code>kaggle blend --out submission.csv --labels DIR RUN…</code> makes one, <code>kaggle report --blend submission.csv</code> shows it.`,
    ),
    section("speed", "Speed", speedSection(data)),
    section("recipe", "Recipe", recipeSection(data)),
    section("commands", "How to make it again", commandsSection(data)),
  ];
  const names = sections.map(({ id, title }) => html`<a href="#${id}">${title}</a> `);
  return html`${raw("<!doctype html>")}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Galaxy Zoo: ${data.runs.map(({ name }) => name).join(", ")} on ${data.data.name}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
${header(data, galaxyStrip(data, chosen, pictures))}
<nav aria-label="Sections">${names}</nav>
${sections.map(({ markup }) => markup)}
</main>
</body>
</html>
`.html;
}

function section(
  id: string,
  title: string,
  content: Html | undefined,
  missing?: Html,
): { id: string; title: string; markup: Html } {
  return {
    id,
    title,
    markup: html`<section id="${id}">
<h2>${title}</h2>
${content ?? html`<p class="missing">${missing}</p>`}
</section>
`,
  };
}
