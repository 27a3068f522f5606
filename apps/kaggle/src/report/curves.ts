/** Learning curves of all runs. */

import { smoothedRmse } from "../run/metrics.ts";
import type { ReportData } from "./collect.ts";
import { type Html, html } from "./html.ts";
import { learningCurves, memberColor } from "./plots.ts";

export function curvesSection({ runs, truth }: ReportData): Html | undefined {
  const curves = runs.map(({ name, metrics }) => ({
    name,
    train: smoothedRmse(metrics.train),
    valid: metrics.valid,
  }));
  if (curves.every(({ train, valid }) => train.length + valid.length === 0)) return undefined;
  return html`<p>Thin: the training batches, augmented, smoothed. Thick: validation galaxies as they are${runs.some(({ run }) => run.recipe.average !== undefined) ? ", by the moving average of the weights" : ""}.</p>
<figure>${legend(runs.map(({ name }) => name))}${learningCurves(curves, truth?.baseline.rmse)}</figure>`;
}

/** Names with their colours; nothing for a single run. */
export function legend(names: readonly string[]): Html | undefined {
  if (names.length < 2) return undefined;
  return html`<p class="legend">${names.map((name, i) => html`<span><i style="background:${memberColor(i)}"></i>${name}</span> `)}</p>`;
}
