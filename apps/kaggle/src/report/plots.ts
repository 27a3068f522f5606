/** Charts as inline SVG. Colours are the page's CSS variables, so that they follow light and dark. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Html, html, raw } from "./html.ts";

/** linkedom's document does what Plot asks of the DOM's. */
type PlotDocument = NonNullable<Plot.PlotOptions["document"]>;

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** The colour of the i-th member, in charts and legends alike. */
export function memberColor(index: number): string {
  return `var(--series-${(index % 6) + 1})`;
}

/** A chart drawn twice, for a desk and for a phone; the page's style shows the one that fits. */
export function chart(
  label: string,
  draw: (size: { width: number; narrow: boolean }) => Plot.PlotOptions,
): Html {
  return html`<div class="wide">${svg(label, draw({ width: 1000, narrow: false }))}</div>
<div class="narrow">${svg(label, draw({ width: 350, narrow: true }))}</div>`;
}

/** One drawing, the same for desk and phone. */
export function svg(label: string, options: Plot.PlotOptions): Html {
  const figure = Plot.plot({
    document: document as unknown as PlotDocument,
    className: "plot",
    ...options,
    ariaLabel: label,
  }) as unknown as { outerHTML: string };
  // Plot's own style sheet, once for each chart, sets a white background; the page has its own.
  return raw(
    figure.outerHTML.replace(/<style>.*?<\/style>/s, "").replace("<svg", '<svg role="img"'),
  );
}

export interface Curve {
  name: string;
  train: { step: number; rmse: number }[];
  valid: { step: number; rmse: number }[];
}

/** RMSE over steps: thin lines train, thick lines with dots validate, dashed what the mean label scores. */
export function learningCurves(curves: readonly Curve[], baseline: number | undefined): Html {
  const all = curves.flatMap(({ train, valid }) => [...train, ...valid]).map(({ rmse }) => rmse);
  const sorted = [...all].sort((a, b) => a - b);
  // The first steps of an untrained network may be far off: the axis follows the bulk.
  const top = Math.max(baseline ?? 0, sorted[Math.floor(sorted.length * 0.97)] ?? 0) * 1.04;
  const bottom = (sorted[0] ?? 0) - 0.08 * (top - (sorted[0] ?? 0));
  const shown = (points: Curve["train"]) => points.filter(({ rmse }) => rmse <= top);
  return chart("Learning curves: RMSE over training steps", ({ width, narrow }) => ({
    width,
    height: narrow ? 260 : 380,
    marginLeft: 44,
    marginRight: narrow ? 12 : 24,
    marginBottom: 44,
    x: { label: "step", labelOffset: 38, ...(narrow && { ticks: 4 }) },
    y: { label: "RMSE", grid: true, domain: [bottom, top], ticks: narrow ? 5 : 8 },
    marks: [
      ...(baseline === undefined
        ? []
        : [
            Plot.ruleY([baseline], { stroke: "var(--muted)", strokeDasharray: "2 4" }),
            Plot.text([baseline], {
              y: (d) => d,
              text: () => "mean label",
              frameAnchor: "right",
              dy: -8,
              fill: "var(--muted)",
            }),
          ]),
      ...curves.flatMap(({ train, valid }, i) => [
        Plot.line(shown(train), {
          x: "step",
          y: "rmse",
          stroke: memberColor(i),
          strokeWidth: 1,
          strokeOpacity: 0.55,
        }),
        Plot.line(shown(valid), { x: "step", y: "rmse", stroke: memberColor(i), strokeWidth: 2 }),
        Plot.dot(shown(valid), { x: "step", y: "rmse", fill: memberColor(i), r: narrow ? 2 : 2.5 }),
      ]),
    ],
  }));
}

export interface Comparison {
  label: string;
  from: number;
  to: number;
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** A row for each comparison: a ring where it was, a dot where it is, a line between; a dashed rule if given. */
export function comparisons(
  label: string,
  rows: readonly Comparison[],
  options: { zero: boolean; rule?: number; axis?: string },
): Html {
  const { zero, rule, axis = "RMSE" } = options;
  const values = [
    ...rows.flatMap(({ from, to }) => [from, to]),
    ...(rule === undefined ? [] : [rule]),
  ];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = (high - low || high) * 0.12;
  const longest = Math.max(...rows.map((row) => row.label.length));
  return chart(label, ({ width, narrow }) => ({
    width,
    height: rows.length * (narrow ? 24 : 28) + 50,
    marginLeft: Math.min(narrow ? 130 : 220, longest * 7 + 14),
    marginRight: 20,
    marginTop: 4,
    marginBottom: 40,
    x: {
      label: axis,
      domain: [zero ? 0 : low - pad, high + (zero ? high * 0.04 : pad)],
      grid: true,
      ticks: narrow ? 4 : 8,
    },
    y: {
      label: null,
      domain: rows.map((row) => row.label),
      tickSize: 0,
      tickFormat: (name: string) => shorten(name, narrow ? 16 : 28),
    },
    marks: [
      ...(rule === undefined
        ? []
        : [
            Plot.ruleX([rule], {
              stroke: "var(--blend)",
              strokeDasharray: "3 3",
              strokeWidth: 1.5,
            }),
          ]),
      Plot.link(rows, {
        x1: "from",
        x2: "to",
        y1: "label",
        y2: "label",
        stroke: "var(--accent)",
        strokeWidth: 2,
        strokeOpacity: 0.5,
      }),
      Plot.dot(rows, {
        x: "from",
        y: "label",
        r: 4,
        fill: "var(--surface)",
        stroke: "var(--muted)",
        strokeWidth: 1.5,
      }),
      Plot.dot(rows, { x: "to", y: "label", r: 5, fill: "var(--accent)" }),
    ],
  }));
}

const BINS = 16;
const CELL = 8;

/** Where galaxies lie, true vote fraction to the right, predicted upwards; the darker the more of them. */
export function density(
  label: string,
  truth: readonly number[],
  predicted: readonly number[],
): Html {
  const counts = new Map<number, number>();
  const binOf = (value: number) => Math.min(BINS - 1, Math.max(0, Math.floor(value * BINS)));
  truth.forEach((value, i) => {
    const bin = binOf(value) * BINS + binOf(predicted[i]!);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  });
  const most = Math.log1p(Math.max(...counts.values()));
  const cells = [...counts].map(([bin, count]) => ({
    x: Math.floor(bin / BINS),
    y: bin % BINS,
    // Logarithmic, and in steps of 0.05 to keep the page small.
    opacity: Math.round((0.1 + 0.9 * (Math.log1p(count) / most)) * 20) / 20,
  }));
  return svg(label, {
    width: BINS * CELL,
    height: BINS * CELL,
    margin: 0,
    x: { domain: [0, BINS], axis: null },
    y: { domain: [0, BINS], axis: null },
    marks: [
      Plot.rect(cells, {
        x1: "x",
        x2: (d) => d.x + 1,
        y1: "y",
        y2: (d) => d.y + 1,
        fill: "var(--accent)",
        fillOpacity: "opacity",
        inset: 0,
      }),
      Plot.line(
        [
          [0, 0],
          [BINS, BINS],
        ],
        { stroke: "currentColor", strokeOpacity: 0.35, strokeDasharray: "2 3" },
      ),
      Plot.frame({ stroke: "var(--rule)", inset: 0.5 }),
    ],
    opacity: { type: "identity" },
  });
}

/** Milliseconds of a step over the run, waiting included. */
export function stepTimes(runs: readonly (readonly { step: number; ms: number }[])[]): Html {
  return chart("Time of a step over the run", ({ width, narrow }) => ({
    width,
    height: narrow ? 160 : 190,
    marginLeft: 44,
    marginBottom: 44,
    x: { label: "step", labelOffset: 38, ...(narrow && { ticks: 4 }) },
    y: { label: "ms a step", grid: true, zero: true, ticks: 4 },
    marks: runs.map((points, i) =>
      Plot.line(points, { x: "step", y: "ms", stroke: memberColor(i), strokeWidth: 1.25 }),
    ),
  }));
}
