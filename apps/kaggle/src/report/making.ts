/** How it was made: speed, machine, recipe, and the commands that make it again. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { formatCount, formatMs, formatPercent } from "../cli/format.ts";
import { loadRecipe, type Recipe, recipeNames } from "../recipe/recipe.ts";
import { smoothedTime, throughput } from "../run/metrics.ts";
import type { Run } from "../run/run.ts";
import type { ReportData } from "./collect.ts";
import { legend } from "./curves.ts";
import { type Html, html } from "./html.ts";
import { stepTimes } from "./plots.ts";

export function speedSection({ runs }: ReportData): Html {
  const speeds = runs.map(({ metrics }) => throughput(metrics));
  const backends = new Map<string, string[]>();
  for (const { name, run } of runs) {
    const line = `${run.info.backend}, Node ${run.info.node}`;
    backends.set(line, [...(backends.get(line) ?? []), name]);
  }
  return html`${[...backends].map(
    ([line, names]) => html`<p>${line}${backends.size > 1 && ` (${names.join(", ")})`}.</p>
`,
  )}<div class="scroll"><table>
<thead><tr><th>Member</th><th class="n">Seed</th><th class="n">Steps</th><th class="n">Minutes</th><th class="n">Step</th><th class="n">Waiting</th><th class="n">Galaxies a second</th><th class="n">Memory</th><th>Started</th></tr></thead>
<tbody>${runs.map(({ name, run: { recipe, info } }, i) => {
    const speed = speeds[i];
    return html`<tr><td>${name}</td><td class="n">${info.seed}</td>${
      speed
        ? html`<td class="n">${formatCount(speed.steps)}</td><td class="n">${speed.minutes.toFixed(1)}</td><td class="n">${formatMs(speed.stepMs)}</td><td class="n">${formatPercent((speed.waitMs * speed.steps) / (speed.minutes * 60_000), 1)}</td><td class="n">${formatCount((speed.steps * recipe.batch) / (speed.minutes * 60))}</td><td class="n">${formatCount(speed.rssMb)} MB</td>`
        : html`<td class="n" colspan="6">no step logged</td>`
    }<td>${info.started.slice(0, 16).replace("T", " ")}</td></tr>
`;
  })}</tbody></table></div>
${speeds.some(Boolean) && html`<figure>${legend(runs.map(({ name }) => name))}${stepTimes(runs.map(({ metrics }) => smoothedTime(metrics.train)))}</figure>`}
<p class="small">Step: the median, without waiting. Waiting: the share of the time that steps waited for their batch. Memory: the most that was resident.</p>`;
}

export function recipeSection({ runs }: ReportData): Html {
  const groups: { recipe: Recipe; names: string[] }[] = [];
  for (const { name, run } of runs) {
    const group = groups.find(({ recipe }) => isDeepStrictEqual(recipe, run.recipe));
    if (group) group.names.push(name);
    else groups.push({ recipe: run.recipe, names: [name] });
  }
  return html`${groups.map(
    ({
      recipe,
      names,
    }) => html`<details><summary><strong>${recipe.name}</strong> ${names.join(", ")}</summary>
<p>${recipe.about}</p>
${runs.filter(({ name }) => names.includes(name)).map(({ name, run }) => startOf(name, run))}
<div class="scroll"><table class="recipe"><tbody>${entries(recipe).map(
      ([key, value]) => html`<tr><th scope="row">${key}</th><td class="wrap">${value}</td></tr>
`,
    )}</tbody></table></div></details>`,
  )}`;
}

/** What a run had beside its recipe and its labels. */
function startOf(name: string, { info: { from, pseudoLabels } }: Run): Html | undefined {
  if (!from && !pseudoLabels) return undefined;
  return html`<p class="small">${name}: ${
    from &&
    html`from the weights of ${from.path} (recipe ${from.recipe}, ${formatCount(from.step)} steps${from.head === "replaced" ? ", new head" : ""}). `
  }${
    pseudoLabels &&
    html`Learnt from ${formatCount(pseudoLabels.images)} test galaxies too, by the predictions in ${pseudoLabels.file}: ${formatPercent(pseudoLabels.share)} of a batch from ${formatPercent(pseudoLabels.from)} of the steps on, weight ${pseudoLabels.weight}.`
  }</p>
`;
}

/** The recipe as rows: objects by dotted key, lists of objects one a row. */
function entries(value: object, prefix = ""): [string, string][] {
  return Object.entries(value).flatMap(([key, item]): [string, string][] => {
    const path = prefix + key;
    if (path === "name" || path === "about") return [];
    if (Array.isArray(item) && item.some((i) => typeof i === "object" && !Array.isArray(i)))
      return item.map((i, n) => [`${path} ${n + 1}`, oneLine(i)]);
    if (typeof item === "object" && item !== null && !Array.isArray(item))
      return entries(item, `${path}.`);
    return [[path, typeof item === "string" ? item : JSON.stringify(item)]];
  });
}

function oneLine(value: object): string {
  return Object.entries(value)
    .map(([key, item]) => `${key} ${typeof item === "string" ? item : JSON.stringify(item)}`)
    .join(" · ");
}

const KAGGLE = "npm run kaggle --";

export function commandsSection({ runs, starts, data, blend, evaluations }: ReportData): Html {
  const folders = runs.map(({ run }) => quote(run.folder)).join(" ");
  const lines = [
    ...starts.map(({ run }) => trainCommand(run)),
    ...runs.flatMap(({ run }) => [
      trainCommand(run),
      `${KAGGLE} predict --run ${quote(run.folder)} --data ${quote(data.path)} --split ${data.test > 0 ? "all" : "valid"}`,
    ]),
    ...(blend
      ? [
          `${KAGGLE} blend --out ${quote(blend.file)}${blend.result.scores ? ` --labels ${quote(blend.result.scores.labels)}` : ""} --weights ${blend.result.strategy} ${blend.result.members.map(({ files }) => quote(sourceOf(files))).join(" ")}`,
        ]
      : []),
    ...(evaluations.length > 0
      ? [
          `${KAGGLE} evaluate --labels ${quote(data.path)} ${evaluations.map(({ subject }) => quote(subject)).join(" ")}`,
        ]
      : []),
    `${KAGGLE} report --out report.html --data ${quote(data.path)}${blend ? ` --blend ${quote(blend.file)}` : ""} ${folders}`,
  ];
  return html`<p>The same seed, recipe and number of steps train the same network on the same backend; a budget in minutes takes as many steps as the machine manages. <code>predict</code> averages over the winner's 60 transforms unless <code>--transforms</code> says otherwise.</p>
<pre>${lines.map((line) => html`<code>${line}</code>`)}</pre>`;
}

function trainCommand(run: Run): string {
  return `${KAGGLE} train --recipe ${recipeOf(run)} --data ${quote(run.info.data.path)} --out ${quote(run.folder)} ${budgetOf(run)} --seed ${run.info.seed}${backendOf(run)}${startOptions(run)}`;
}

/** The recipe's name if it ships with the app and is unchanged, else the run's own copy. */
function recipeOf({ recipe, folder }: Run): string {
  const shipped =
    recipeNames().includes(recipe.name) && isDeepStrictEqual(loadRecipe(recipe.name), recipe);
  return shipped ? recipe.name : quote(`${folder}/recipe.json`);
}

function budgetOf({ info: { budget } }: Run): string {
  return "steps" in budget
    ? `--steps ${budget.steps}`
    : `--minutes ${Number(budget.minutes.toPrecision(3))}`;
}

/** A member of a blend as `blend` was given it: the run whose predictions its files are, else the file. */
function sourceOf(files: readonly string[]): string {
  const file = files[0]!;
  const run = dirname(dirname(file));
  const isRun = basename(dirname(file)) === "predictions" && existsSync(join(run, "run.json"));
  return isRun ? run : file;
}

/** The backend's name, with which its line begins. */
function backendOf({ info: { backend } }: Run): string {
  const name = /^(tensorflow|webgpu|wasm)\b/.exec(backend)?.[1];
  return name ? ` --backend ${name}` : "";
}

/** Trained weights and pseudo-labels, as they were given. */
function startOptions({ info: { from, pseudoLabels } }: Run): string {
  const weights = from ? ` --from ${quote(from.path)}` : "";
  if (!pseudoLabels) return weights;
  const { file, share, weight, from: begin } = pseudoLabels;
  return `${weights} --pseudo-labels ${quote(file)} --pseudo-share ${share} --pseudo-weight ${weight} --pseudo-from ${begin}`;
}

/** For a shell, where it must be. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
