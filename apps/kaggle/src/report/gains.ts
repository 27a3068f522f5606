/** What averaging over transforms and blending gain. */
import type { ReportData, RunReport } from "./collect.ts";
import { formatChange, formatCount, formatRmse } from "./format.ts";
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
    blend?.result.blend?.crossValidatedRmse ?? (predicted.length > 1 ? judged?.rmse : undefined);
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

const STRATEGIES = {
  uniform: "all members alike",
  shared: "one weight a member",
  column: "one weight a member and answer",
};

export function blendSection({ blend }: ReportData): Html | undefined {
  if (!blend) return undefined;
  const { result, file } = blend;
  const { strategies, pruned, members } = result;
  const weights = result.blend?.weights ?? [members.map(() => 1 / members.length)];
  return html`<p>${formatCount(result.rows)} galaxies in <code>${file}</code>, by ${result.weights} weights.${
    strategies &&
    " Weights are fitted to the validation galaxies; cross-validated, each fifth is scored with weights fitted to the others, which is what new galaxies will show."
  }</p>
${
  strategies &&
  html`<div class="scroll"><table>
<thead><tr><th>Weights</th><th class="n">In sample</th><th class="n">Cross-validated</th></tr></thead>
<tbody>${strategies.map(
    ({
      strategy,
      rmse,
      crossValidatedRmse,
    }) => html`<tr${strategy === result.weights ? html` class="chosen"` : undefined}><td class="wrap">${strategy}<span class="small"> ${STRATEGIES[strategy]}</span></td><td class="n">${formatRmse(rmse)}</td><td class="n">${formatRmse(crossValidatedRmse)}</td></tr>
`,
  )}</tbody></table></div>`
}
<div class="scroll"><table>
<thead><tr><th>Member</th><th class="n">RMSE</th><th class="n">Weight</th><th>Contributes</th></tr></thead>
<tbody>${members.map(
    (
      { name, rmse },
      m,
    ) => html`<tr><td>${name}</td><td class="n">${formatRmse(rmse)}</td><td class="n">${weightOf(weights, m)}</td><td class="wrap">${pruned ? (pruned.dropped.find((d) => d.name === name)?.reason ?? "yes") : "–"}</td></tr>
`,
  )}</tbody></table></div>
${!strategies && html`<p class="missing">Blended without labels, so nothing is scored: <code>kaggle blend --labels DIR</code> does.</p>`}`;
}

/** One weight, or its range over the answers. */
function weightOf(weights: readonly (readonly number[])[], member: number): string {
  const own = weights.map((row) => row[member]!);
  const [low, high] = [Math.min(...own), Math.max(...own)];
  return low === high ? low.toFixed(3) : `${low.toFixed(2)} to ${high.toFixed(2)}`;
}
