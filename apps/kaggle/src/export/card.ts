/** The model card of an exported run: what its files say, for a reader who has neither the run nor this application. */
import { basename, resolve } from "node:path";
import { formatCount } from "../cli/format.ts";
import type { CheckpointName } from "../network/trained-weights.ts";
import { treeOf } from "../recipe/question-tree.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { readMetrics } from "../run/metrics.ts";
import type { Run } from "../run/run.ts";
import { EVALUATED_IMAGES } from "../training/inputs.ts";
import { exampleProgram, inputSection } from "./card-input.ts";

interface CardOptions {
  /** Steps after which the weights were taken. */
  step: number;
  /** Why those. */
  checkpoint: CheckpointName;
  parameters: number;
}

/** README.md of an exported folder, in Markdown with the front matter that model hubs read. */
export function modelCard(run: Run, options: CardOptions): string {
  const { recipe } = run;
  return `---
tags:
  - tensorflowjs
  - image-regression
metrics:
  - rmse
---
# ${recipe.name}

${recipe.about}

${table(["", ""], facts(run, options))}
## Files

| | |
| --- | --- |
| \`model.json\`, \`weights.bin\` | the model in TensorFlow.js's layers format |
| \`model.safetensors\` | the same weights by layer and name, and in its notes the recipe (\`recipe\`) and \`step\` |

${inputSection(recipe)}
${outputSection(recipe)}
## How to load it

\`\`\`sh
npm install @tensorflow/tfjs @gz/layers @gz/views @gz/galaxies${recipe.input.centre ? " @gz/augment" : ""}
\`\`\`

\`\`\`js
${exampleProgram(recipe)}\`\`\`

The model itself needs \`@gz/layers\` alone; it loads in browsers too. The weights without TensorFlow.js:

\`\`\`python
from safetensors import safe_open

with safe_open("model.safetensors", "np") as file:
    weights = {name: file.get_tensor(name) for name in file.keys()}  # kernels are [rows, columns, in, out] or [in, out]
\`\`\`

To train them further, with these questions or others: \`kaggle train --from model.safetensors --data DIR --out RUN\`.

## Licence

None has been chosen for these weights. They were trained on ${dataName(run)}, whose images and labels have terms of their own:
look at those before you pass the weights on, and put your licence here. The \`@gz\` packages are under the MIT licence.

## Credit

The method follows Sander Dieleman's winning solution of the Galaxy Zoo challenge: S. Dieleman, K. W. Willett, J. Dambre,
*Rotation-invariant convolutional neural networks for galaxy morphology prediction*, MNRAS 450, 1441 (2015),
[arXiv 1503.07077](https://arxiv.org/abs/1503.07077).${
    typeof recipe.output.tree === "string"
      ? " The questions are Galaxy Zoo 2's: K. W. Willett et al., MNRAS 435, 2835 (2013),\n[arXiv 1308.3496](https://arxiv.org/abs/1308.3496)."
      : ""
  }

## Recipe

\`\`\`json
${JSON.stringify(recipe, null, 2)}
\`\`\`
`;
}

function facts(
  { recipe, info, metricsFile, name }: Run,
  { step, checkpoint, parameters }: CardOptions,
): string[][] {
  const { data, budget, from, pseudoLabels, seed, backend, node, started } = info;
  const planned =
    "minutes" in budget
      ? `, in a budget of ${Number(budget.minutes.toFixed(2))} minutes`
      : step < budget.steps
        ? `; ${formatCount(budget.steps)} were planned`
        : "";
  const valid = readMetrics(metricsFile).valid.findLast((line) => line.step <= step);
  const scored = Math.min(data.valid, EVALUATED_IMAGES);
  const best = "at the lowest validation RMSE";
  return [
    ["recipe", `\`${recipe.name}\` (below)`],
    ["parameters", formatCount(parameters)],
    [
      "weights",
      recipe.average === undefined
        ? `those ${checkpoint === "best" ? best : "of the last step"}`
        : `moving average over the steps, decay ${recipe.average}${checkpoint === "best" ? `, ${best}` : ""}`,
    ],
    ["training data", `${basename(data.path)}: ${formatCount(data.train)} galaxies`],
    ["steps", `${formatCount(step)}, each on ${recipe.batch} galaxies${planned}`],
    ...(from
      ? [
          [
            "started from",
            `the weights of \`${basename(from.path)}\` (recipe \`${from.recipe}\`, ${formatCount(from.step)} steps)${from.head === "replaced" ? ", with a new head" : ""}`,
          ],
        ]
      : []),
    ...(pseudoLabels
      ? [
          [
            "pseudo-labels",
            `${formatCount(pseudoLabels.images)} images without labels, by predictions of them (\`${basename(pseudoLabels.file)}\`): ${pseudoLabels.share} of a batch from ${pseudoLabels.from} of the steps on, weight ${pseudoLabels.weight}`,
          ],
        ]
      : []),
    [
      "validation RMSE",
      valid
        ? `${valid.rmse.toFixed(5)} after ${formatCount(valid.step)} steps, over all answers of ${formatCount(scored)} of the ${formatCount(data.valid)} galaxies that were held out, each seen once as it is`
        : "none recorded yet",
    ],
    ["run", `\`${name}\`, seed ${seed}, started ${started.slice(0, 10)}`],
    ["trained on", `${backend}, Node ${node}`],
  ];
}

function outputSection(recipe: Recipe): string {
  const { normalize } = recipe.output;
  const rows = treeOf(recipe).flatMap(({ name, text, answers, answerTexts, parents = [] }) =>
    answers.map((answer, i) => ({
      question: text ?? name,
      answer,
      text: answerTexts?.[i],
      parents,
    })),
  );
  return `## Output

float32 [batch, ${rows.length}]: for each answer the fraction of all volunteers expected to give it. The answers of a question add up
to 1, or to those after which it is asked (${normalize === "softmax" ? "softmax" : "positive parts over their sum"} within a question, times the fractions of the answers that lead to it).

${table(
  ["column", "name", "question", "answer", "asked after"],
  rows.map(({ question, answer, text, parents }, column) => [
    String(column),
    answer,
    question,
    text ?? "",
    parents.join(", "),
  ]),
)}`;
}

/** A Markdown table. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |\n`;
  return `${line(head)}${line(head.map(() => "---"))}${rows.map(line).join("")}`;
}

function dataName({ info }: Run): string {
  return basename(resolve(info.data.path));
}
