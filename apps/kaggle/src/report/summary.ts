/** The head of the page: what it is, of what data, and the figures that matter, from the mean label to the blend. */
import { type BlendResult, unseenRmse } from "../blending/blend-result.ts";
import { formatCount, formatRmse, plural } from "../cli/format.ts";
import type { ReportData } from "./collect.ts";
import { type Html, html } from "./html.ts";

interface Figure {
  label: string;
  value: number;
  note: string;
}

/** The headline scores that there are, in the order in which they should fall. */
function figures({ runs, truth, blend, judged }: ReportData): Figure[] {
  const found: Figure[] = [];
  const add = (label: string, value: number | undefined, note: string) => {
    if (value !== undefined) found.push({ label, value, note });
  };
  const lowest = (key: "single" | "valid") =>
    runs
      .flatMap(({ name, [key]: scored }) => (scored ? [{ name, rmse: scored.rmse }] : []))
      .sort((a, b) => a.rmse - b.rmse)[0];
  const single = lowest("single");
  const valid = lowest("valid");
  add("Mean label", truth?.baseline.rmse, "the same answer for every galaxy");
  add("Best single", single?.rmse, `${single?.name}, the galaxy as it is`);
  add(
    single ? "With transforms" : "Best member",
    valid?.rmse,
    single ? `${valid?.name}, its transforms averaged` : `${valid?.name}`,
  );
  if (blend?.result.scores)
    add(
      "Blended",
      unseenRmse(blend.result),
      `${plural(blend.result.members.length, "member")}, ${blend.result.strategy} weights${howFound(blend.result)}`,
    );
  else if (judged && runs.filter((run) => run.valid).length > 1)
    add("Blended", judged.rmse, judged.title);
  return found;
}

/** Where its weights come from: equal ones that were asked for come from nowhere. */
function howFound({ strategy, scores }: BlendResult): string {
  if (scores?.chosen === "by score") return ", chosen and fitted on other folds";
  return strategy === "uniform" ? "" : ", fitted on other folds";
}

export function header(data: ReportData, strip: Html | undefined): Html {
  const { runs, written, data: set } = data;
  const recipes = [...new Set(runs.map(({ run }) => run.recipe.name))].join(", ");
  const found = figures(data);
  const strangers = runs
    .filter(({ run: { info } }) => info.data.train !== set.train || info.data.valid !== set.valid)
    .map(({ name }) => name);
  return html`<header>
<p class="kicker">Galaxy Zoo · report of ${written.toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" })}</p>
<h1>${plural(runs.length, "network")} on ${set.synthetic ? "synthetic galaxies" : set.name}</h1>
${strip}
<p class="lead">${
    set.synthetic
      ? html`<strong>No galaxy here is real</strong>: all were rendered from random parameters and their votes computed from these, so the scores say nothing about real ones. `
      : undefined
  }${formatCount(set.train)} galaxies to train on, ${formatCount(set.valid)} to validate${set.test > 0 ? `, ${formatCount(set.test)} to predict` : ""}.
${runs.length === 1 ? "The network" : "Members"}: ${runs.map(({ name }) => name).join(", ")} (recipe ${recipes}).
Scores are root mean squared errors over all 37 vote fractions of the validation galaxies; lower is better.</p>
${strangers.length > 0 && html`<p class="missing">${strangers.join(", ")}: not trained on this data set, so some of its validation galaxies may have been seen in training.</p>`}
${
  found.length > 0 &&
  html`<dl class="figures">${found.map(
    ({ label, value, note }, i) =>
      html`<div class="${i > 0 && i === found.length - 1 ? "figure last" : "figure"}"><dt>${label}</dt><dd>${formatRmse(value)}</dd><dd class="note">${note}</dd><dd class="meter" style="--share:${(value / found[0]!.value).toFixed(4)}"></dd></div>`,
  )}</dl>`
}
</header>`;
}
