/** The results as a page of Markdown. */
import type { Estimate } from "./compare.ts";
import type { ExperimentsResult, VariantResult } from "./results.ts";

export function experimentsPage(result: ExperimentsResult): string {
  const { about, variants, seeds, budget, data, machine, backend, command } = result;
  const reports = variants.some(({ reported }) => reported !== undefined);
  const columns = [
    "variant",
    "validation RMSE",
    "less the base",
    "",
    "ms a step",
    ...(reports ? ["what was reported"] : []),
  ];
  const rows = variants.map((variant, i) => [
    `\`${variant.name}\``,
    missing(variant, seeds, variant.rmse ? withError(variant.rmse, 5) : "–"),
    i === 0 || !variant.difference ? "–" : withError(variant.difference, 5, true),
    variant.difference?.verdict ?? "",
    variant.runs.length > 0 ? milliseconds(variant).toFixed(0) : "–",
    ...(reports ? [variant.reported ?? ""] : []),
  ]);
  const changes = variants.map(({ name, about }) => `- \`${name}\`: ${about}`);
  return `${about}

${changes.join("\n")}

| ${columns.join(" | ")} |
| ${columns.map(() => "---").join(" | ")} |
${rows.map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n")}

Every variant was trained ${budgetInWords(budget)} from ${seeds === 1 ? "one seed" : `${seeds} seeds`}, on ${data.train.toLocaleString("en")} galaxies of ${data.name}; its RMSE is that of the other ${data.valid.toLocaleString("en")}, each predicted once, as it is. Given are means over seeds and their standard errors. A difference is taken seed by seed, from a base that started from the same seed and saw the same galaxies in the same order; it is called better or worse where 0 lies outside its 95 % interval (Student's t), as one in twenty does by chance where there is no difference. What is clear at such a budget may be otherwise at another.

\`\`\`sh
${command}
\`\`\`

${machine}; ${backend}.
`;
}

/** 0.09123 ± 0.00045 */
function withError({ mean, standardError }: Estimate, digits: number, signed = false): string {
  const sign = signed && mean > 0 ? "+" : "";
  const value = `${sign}${mean.toFixed(digits).replace("-", "−")}`;
  return standardError === undefined ? value : `${value} ± ${standardError.toFixed(digits)}`;
}

function missing({ runs }: VariantResult, seeds: number, text: string): string {
  return runs.length === seeds ? text : `${text} (${runs.length} of ${seeds} seeds)`;
}

function milliseconds({ runs }: VariantResult): number {
  return runs.reduce((sum, { stepMs }) => sum + stepMs, 0) / runs.length;
}

function budgetInWords(budget: string): string {
  const steps = /^(\d+)-steps$/.exec(budget)?.[1];
  if (steps) return `for ${Number(steps).toLocaleString("en")} steps`;
  const time = /^(.+)-per-model$/.exec(budget)?.[1];
  if (time) return `for ${time}`;
  return budget === "full" ? "for its recipe's steps" : `for its share of ${budget}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
