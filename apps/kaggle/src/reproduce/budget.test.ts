import { expect, test } from "vitest";
import { parseBudget } from "./budget.ts";

test.each([
  ["30m", { kind: "total", minutes: 30 }],
  ["1h30m", { kind: "total", minutes: 90 }],
  ["90s", { kind: "total", minutes: 1.5 }],
  ["1.5d", { kind: "total", minutes: 2160 }],
  ["67h-per-model", { kind: "minutes", minutes: 4020 }],
  ["2000-steps", { kind: "steps", steps: 2000 }],
  ["full", { kind: "full" }],
])("reads %s", (text, expected) => {
  expect(parseBudget("reproduce", text)).toEqual(expected);
});

test.each(["", "30", "0m", "0-steps", "-5m", "five", "30m per model", "h", "full-per-model"])(
  "refuses %j",
  (text) => {
    expect(() => parseBudget("experiments", text)).toThrow(
      /^experiments: expected a budget such as .* for --budget but got /,
    );
  },
);
