/** Learning curves of all runs, and of what they go on from. */

import { resolve } from "node:path";
import { smoothedRmse } from "../run/metrics.ts";
import type { ReportData } from "./collect.ts";
import { type Html, html } from "./html.ts";
import { type Curve, learningCurves, memberColor } from "./plots.ts";

export function curvesSection({ runs, starts, truth }: ReportData): Html | undefined {
  const curves = [...runs, ...starts].map(({ name, run: { info }, metrics }): Curve => {
    const start = starts.find(({ run }) => resolve(run.folder) === info.from?.path);
    const before = start ? info.from!.step : 0;
    const shifted = (points: Curve["valid"]) =>
      points.map(({ step, rmse }) => ({ step: before + step, rmse }));
    return { name, train: shifted(smoothedRmse(metrics.train)), valid: shifted(metrics.valid) };
  });
  if (curves.every(({ train, valid }) => train.length + valid.length === 0)) return undefined;
  return html`<p>Thin: the training batches, augmented, smoothed. Thick: validation galaxies as they are${runs.some(({ run }) => run.recipe.average !== undefined) ? ", by the moving average of the weights" : ""}.${starts.length > 0 && " Who goes on from another’s weights begins at its last step."}</p>
<figure>${legend(curves.map(({ name }) => name))}${learningCurves(curves, truth?.baseline.rmse)}</figure>`;
}

/** Names with their colours; nothing for a single run. */
export function legend(names: readonly string[]): Html | undefined {
  if (names.length < 2) return undefined;
  return html`<p class="legend">${names.map((name, i) => html`<span><i style="background:${memberColor(i)}"></i>${name}</span> `)}</p>`;
}
