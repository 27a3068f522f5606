/** What averaging over transforms gains. */
import { unseenRmse } from "../blending/blend-result.ts";
import { formatChange, formatRmse } from "../cli/format.ts";
import type { ReportData, RunReport } from "./collect.ts";
import { type Html, html } from "./html.ts";
import { comparisons } from "./plots.ts";

export function transformsSection({ runs, blend, judged }: ReportData): Html | undefined {
  const predicted = runs.filter(
    (run): run is RunReport & Required<Pick<RunReport, "valid">> => run.valid !== undefined,
  );
  if (predicted.length === 0) return undefined;
  const both = predicted.flatMap(({ name, single, valid }) =>
    single ? [{ label: name, from: single.rmse, to: valid.rmse }] : [],
  );
  const blended =
    (blend && unseenRmse(blend.result)) ?? (predicted.length > 1 ? judged?.rmse : undefined);
  return html`<p>A galaxy has no up or down: a member's prediction is its mean over turned, mirrored and zoomed views <span class="key"><i class="dot"></i></span>, here beside the untransformed view alone <span class="key"><i class="ring"></i></span>${
    blended !== undefined &&
    html` and the members together <span class="key"><i class="dash"></i></span>`
  }.</p>
${both.length > 0 && html`<figure>${comparisons("RMSE of each member, one view and all transforms", both, { zero: false, ...(blended !== undefined && { rule: blended }) })}</figure>`}
<div class="scroll"><table>
<thead><tr><th>Member</th><th class="n">One view</th><th class="n">All transforms</th><th class="n">Change</th></tr></thead>
<tbody>${predicted.map(
    ({
      name,
      single,
      valid,
    }) => html`<tr><td>${name}</td><td class="n">${formatRmse(single?.rmse)}</td><td class="n">${formatRmse(valid.rmse)}</td><td class="n">${single ? gain(single.rmse, valid.rmse) : "–"}</td></tr>
`,
  )}</tbody></table></div>
${both.length < predicted.length && html`<p class="missing">Without valid.single.csv there is no prediction of the view alone to compare with: <code>kaggle predict --split valid --transforms 60</code> writes both.</p>`}`;
}

function gain(from: number, to: number): string {
  return `${formatChange((100 * (to - from)) / from, 1)} %`;
}
