/** A report as a test reads it. */
import { readFileSync } from "node:fs";
import { parseHTML } from "linkedom";
import { expect } from "vitest";
import { writeReport } from "../src/report/report.ts";

/** Writes a report and opens the page. */
export async function report(options: Parameters<typeof writeReport>[0]) {
  await writeReport(options);
  const text = readFileSync(options.out, "utf8");
  const { document } = parseHTML(text);
  const all = (selector: string) => [...document.querySelectorAll(selector)];
  const texts = (selector: string) => all(selector).map((element) => element.textContent!.trim());
  return { text, document, all, texts };
}

export type Page = Awaited<ReturnType<typeof report>>;

/** The cells of a table's rows in a section. */
export function tableOf(page: Page, section: string, table = 0): string[][] {
  return [...page.all(`#${section} table`)[table]!.querySelectorAll("tbody tr")].map((row) =>
    [...row.querySelectorAll("th, td")].map((cell) => cell.textContent!.trim()),
  );
}

/** Every element that is opened is closed, and in order. */
export function expectWellFormed(text: string): void {
  const open: string[] = [];
  for (const [, end, name, rest] of text.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (end) expect(open.pop()).toBe(name);
    else if (!["meta", "img", "br"].includes(name!) && !rest!.endsWith("/")) open.push(name!);
  }
  expect(open).toEqual([]);
}

/** The page needs no other file. */
export function expectSelfContained({ text, all }: Page): void {
  expect(all("script, link, iframe, object, base")).toEqual([]);
  expect(text.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "")).not.toMatch(/https?:|url\((?!#)|@import/);
  for (const image of all("[src]"))
    expect(image.getAttribute("src")).toMatch(/^data:image\/(jpeg|png);base64,/);
  const names = all("[id]").map(({ id }) => id);
  expect(new Set(names).size).toBe(names.length);
}
