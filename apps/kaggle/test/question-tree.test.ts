/** Questions of one's own: named by a recipe, checked, kept with the run. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KAGGLE_TREE } from "@gz/galaxies";
import { afterAll, expect, test } from "vitest";
import { columnsOfRecipe, labelTreeOf, treeOf } from "../src/recipe/question-tree.ts";
import { checkRecipe, loadRecipe } from "../src/recipe/recipe.ts";
import { temporaryFolder } from "./cli.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

const TREE = [
  { name: "kind", text: "What is it?", answers: ["star", "galaxy"] },
  { name: "merging", answers: ["merging", "alone"], parents: ["galaxy"] },
];
const write = (name: string, value: unknown) => {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, name), typeof value === "string" ? value : JSON.stringify(value));
  return join(root, name);
};
const withTree = (tree: unknown, output: object = {}) =>
  write("recipe.json", { extends: "tiny", output: { tree, ...output } });

test("a recipe names a file of questions beside itself, and holds them from then on", () => {
  write("questions.json", TREE);
  const recipe = loadRecipe(withTree("questions.json"));
  expect(treeOf(recipe)).toEqual(TREE);
  expect(labelTreeOf(recipe)).toEqual(TREE);
  expect(columnsOfRecipe(recipe)).toEqual(["star", "galaxy", "merging", "alone"]);
  expect(checkRecipe(JSON.parse(JSON.stringify(recipe)), "a run")).toEqual(recipe);
  expect(treeOf(loadRecipe(withTree(TREE))), "in place").toEqual(TREE);
});

test("what a recipe extends may name the file; the path is relative to where it stands", () => {
  mkdirSync(join(root, "base"), { recursive: true });
  write("base/own.json", TREE);
  write("base/base.json", { extends: "tiny", output: { tree: "own.json" } });
  const recipe = loadRecipe(write("above.json", { extends: "base/base.json", batch: 4 }));
  expect(treeOf(recipe)).toEqual(TREE);
});

test("the proper tree is trained on Kaggle's labels", () => {
  const recipe = loadRecipe(withTree("proper", { loss: "squared-error" }));
  expect(treeOf(recipe)[5]!.parents).toEqual(["Class1.1", "Class1.2"]);
  expect(labelTreeOf(recipe)).toBe(KAGGLE_TREE);
});

test.each<[string, unknown, string]>([
  ["no such file", "none.json", `${join(root, "none.json")} is not there`],
  ["a file that is not JSON", "broken.json", `${join(root, "broken.json")} is not JSON`],
  ["another word", 7, 'expected ("kaggle" | "proper") for output.tree in '],
  ["no answers", [{ name: "q" }], "expected output.tree.0.answers in "],
  [
    "an unknown key",
    [{ name: "q", answers: ["a"], parent: "b" }],
    "unknown key output.tree.0.parent in ",
  ],
  [
    "an unknown parent",
    [{ name: "q", answers: ["a"], parents: ["b"] }],
    'expected a column of an earlier question as parent of q but got "b" (output.tree in',
  ],
  [
    "two parents and the cross-entropy",
    [
      { name: "q", answers: ["a", "b", "c"] },
      { name: "r", answers: ["d"], parents: ["a", "b"] },
    ],
    "expected at most one parent of a question for output.loss cross-entropy but r has a and b",
  ],
  [
    "proper and the cross-entropy",
    "proper",
    "expected output.normalize softmax and output.tree kaggle, or questions of your own, for output.loss cross-entropy but got softmax and proper",
  ],
])("a recipe with %s is refused", (_, tree, message) => {
  write("broken.json", "[{");
  expect(() => loadRecipe(withTree(tree))).toThrow(message);
});
