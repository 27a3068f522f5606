import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { lastWords } from "./child.ts";

const root = mkdtempSync(join(tmpdir(), "gz-child-"));
afterAll(() => rmSync(root, { recursive: true }));

test("the last words are those of the last start, an error's before others", () => {
  const log = join(root, "log");
  const said = (text: string) => {
    writeFileSync(log, text);
    return lastWords(log);
  };
  const old = "start train/a\nerror openDataset: gone\nnothing was written\n";
  expect(said(old)).toBe("openDataset: gone");
  expect(said(`${old}start train/a\nstep 5\nended with code 137\n`)).toBe("ended with code 137");
  expect(said("no start at all\n")).toBe("no start at all");
});
