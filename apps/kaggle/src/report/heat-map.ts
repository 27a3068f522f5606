/** A table of numbers as shades, with the numbers in it where there is room. */
import * as Plot from "@observablehq/plot";
import type { Html } from "./html.ts";
import { chart } from "./plots.ts";

export interface HeatMap {
  /** Names of the rows, in full where there is room. */
  rows: readonly string[];
  /** Short names of the columns. */
  columns: readonly string[];
  /** [row][column]; undefined leaves a gap. */
  values: readonly (readonly (number | undefined)[])[];
  /** What is palest, and what strongest. */
  range: readonly [low: number, high: number];
  /** A number as it stands in a cell: four characters at most. */
  format: (value: number) => string;
}

/** Room that a number needs, pixels. */
const NUMBER = 30;
const CHARACTER = 7.5;

export function heatMap(label: string, { rows, columns, values, range, format }: HeatMap): Html {
  const [low, high] = range;
  const cells = values.flatMap((line, row) =>
    line.flatMap((value, column) =>
      value === undefined
        ? []
        : [
            {
              row,
              column,
              text: format(value),
              title: `${rows[row]}, ${columns[column]}: ${value.toFixed(3)}`,
              shade: high > low ? 0.06 + (0.94 * (value - low)) / (high - low) : 0.5,
            },
          ],
    ),
  );
  const longest = Math.max(...rows.map((name) => name.length));
  return chart(label, (size) => {
    const room = size.narrow ? 15 : 30;
    const marginLeft = Math.min(longest, room) * CHARACTER + 12;
    const cell = Math.min(size.narrow ? 44 : 56, (size.width - marginLeft) / columns.length);
    const height = Math.max(18, Math.min(cell, 34));
    return {
      width: marginLeft + cell * columns.length,
      height: 24 + height * rows.length,
      margin: 0,
      marginLeft,
      marginTop: 24,
      x: {
        axis: "top",
        label: null,
        tickSize: 0,
        domain: columns.map((_, i) => i),
        // Where names would touch, every other one.
        tickFormat: (i: number) => (cell < 18 && i % 2 === 1 ? "" : columns[i]!),
        padding: 0,
      },
      y: {
        label: null,
        tickSize: 0,
        domain: rows.map((_, i) => i),
        tickFormat: (i: number) => shorten(rows[i]!, room),
        padding: 0,
      },
      opacity: { type: "identity" },
      marks: [
        Plot.cell(cells, {
          x: "column",
          y: "row",
          fill: "var(--accent)",
          fillOpacity: "shade",
          title: "title",
          inset: cell < NUMBER ? 0.5 : 1,
        }),
        ...(cell < NUMBER
          ? []
          : [true, false].map((dark) =>
              Plot.text(
                cells.filter(({ shade }) => shade > 0.7 === dark),
                {
                  x: "column",
                  y: "row",
                  text: "text",
                  fill: dark ? "var(--paper)" : "var(--ink)",
                  pointerEvents: "none",
                },
              ),
            )),
      ],
    };
  });
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
