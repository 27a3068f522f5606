import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ensembleNames, loadEnsemble } from "./members.ts";

const root = mkdtempSync(join(tmpdir(), "gz-members-"));
afterAll(() => rmSync(root, { recursive: true }));
const file = (name: string, content: unknown) => {
  const path = join(root, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

test("every ensemble that ships can be loaded, under names of their own", () => {
  expect(ensembleNames()).toEqual(["brief", "small", "winner"]);
  for (const name of ensembleNames()) {
    const members = loadEnsemble(name).members.map((member) => member.name);
    expect(new Set(members).size).toBe(members.length);
  }
  const { members, start } = loadEnsemble("winner");
  expect(start).toBeUndefined();
  expect(members).toHaveLength(17);
  expect(members.map(({ name }) => name).slice(0, 3)).toEqual([
    "best-1",
    "best-2",
    "maxout2048-extradense-big256",
  ]);
});

test("a recipe is a name, or a file beside the ensemble's", () => {
  file("wide.json", { extends: "tiny", batch: 64 });
  const { members, start } = loadEnsemble(
    file("mine.json", {
      start: { recipe: "wide.json", seed: 5, share: 0.5 },
      members: [
        { recipe: "wide.json", seed: 1 },
        { recipe: "tiny", seed: 1 },
        { recipe: "wide.json", seed: 2 },
      ],
    }),
  );
  expect(start).toMatchObject({
    share: 0.5,
    member: { name: "start", seed: 5, recipe: { name: "wide", batch: 64 } },
  });
  const [wide, tiny, again] = members;
  expect(wide).toMatchObject({ name: "wide-1", seed: 1, recipe: { name: "wide", batch: 64 } });
  expect(tiny).toMatchObject({ name: "tiny", recipe: { batch: 32 } });
  expect(again).toMatchObject({ name: "wide-2", seed: 2 });
});

test.each([
  [{ members: [] }, /expected >=1 for members in .* but got 0/],
  [{ members: [{ recipe: "tiny" }] }, /expected members\.0\.seed in .* but it is missing/],
  [{ members: [{ recipe: "tiny", seed: 1, weight: 2 }] }, /members\.0\.weight/],
  ["{", /ensemble\.json is not JSON/],
  [
    {
      members: [
        { recipe: "tiny", seed: 3 },
        { recipe: "tiny", seed: 3 },
      ],
    },
    /expected another seed for members\.1 .* tiny has seed 3 already \(members\.0\)/,
  ],
  [{ members: [{ recipe: "nowhere", seed: 1 }] }, /but got nowhere/],
  [
    { start: { recipe: "tiny", seed: 1, share: 1 }, members: [{ recipe: "tiny", seed: 1 }] },
    /expected <1 for start\.share in .* but got 1/,
  ],
  [
    { start: { recipe: "modern", seed: 1, share: 0.5 }, members: [{ recipe: "tiny", seed: 1 }] },
    /expected a network of the same weights as tiny's for start of .* but got that of modern$/,
  ],
])("refuses %j", (content, message) => {
  expect(() => loadEnsemble(file("ensemble.json", content))).toThrow(message);
});

test("an unknown name is answered with those there are", () => {
  expect(() => loadEnsemble("large")).toThrow(
    "expected one of brief, small, winner or a JSON file for --members but got large",
  );
});

test("two members never get one folder, and names are what jobs can hold", () => {
  file("a.json", { extends: "tiny" });
  file("a-2.json", { extends: "tiny", batch: 16 });
  const twice = [
    { recipe: "a.json", seed: 1 },
    { recipe: "a.json", seed: 2 },
    { recipe: "a-2.json", seed: 3 },
  ];
  expect(() => loadEnsemble(file("clash.json", { members: twice }))).toThrow(
    /two of .*clash\.json would be a-2; rename one$/,
  );
  file("start.json", { extends: "tiny" });
  const start = { recipe: "tiny", seed: 1, share: 0.5 };
  const members = [{ recipe: "start.json", seed: 1 }];
  expect(() => loadEnsemble(file("own-start.json", { start, members }))).toThrow(
    /two of .*own-start\.json would be start; rename one$/,
  );
  file("a,b.json", { extends: "tiny" });
  expect(() =>
    loadEnsemble(file("comma.json", { members: [{ recipe: "a,b.json", seed: 1 }] })),
  ).toThrow(/expected a recipe's name of letters, digits, - and _ for members\.0 .* but got a,b$/);
});
