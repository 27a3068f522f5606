/** The drawings of what kaggle evaluate found. */
import * as Plot from "@observablehq/plot";
import { formatCount, formatPercent } from "../cli/format.ts";
import type { QuestionAgreement } from "../evaluation/agreement.ts";
import type { Equivariance } from "../evaluation/equivariance.ts";
import type { Reliability } from "../evaluation/reliability.ts";
import type { Html } from "./html.ts";
import { chart, svg } from "./plots.ts";

const HALVES = [0, 0.5, 1];

/** Accuracy over agreement: the network's, dashed the commonest answer's, and the share of galaxies as an area. */
export function agreementCurve(label: string, { asked, points }: QuestionAgreement): Html {
  const x = "threshold";
  return svg(label, {
    width: 200,
    height: 150,
    marginTop: 8,
    marginRight: 8,
    marginBottom: 22,
    marginLeft: 28,
    x: { domain: [0, 1], label: null, ticks: HALVES },
    y: { domain: [0, 1], label: null, ticks: HALVES, grid: true },
    marks: [
      Plot.areaY(points, {
        x,
        y: (p) => p.galaxies / asked,
        fill: "var(--rule)",
        fillOpacity: 0.7,
      }),
      Plot.line(points, { x, y: "commonest", stroke: "var(--muted)", strokeDasharray: "2 3" }),
      Plot.line(points, { x, y: "accuracy", stroke: "var(--accent)", strokeWidth: 2 }),
      Plot.dot(points, {
        x,
        y: "accuracy",
        r: 1.75,
        fill: "var(--accent)",
        title: (p) =>
          `agreement ≥ ${p.threshold}: ${formatPercent(p.accuracy, 1)} of ${formatCount(p.galaxies)}, commonest answer ${formatPercent(p.commonest, 1)}`,
      }),
    ],
  });
}

/** What volunteers said on average, over what was predicted; the larger the dot, the more predictions (logarithmic). */
export function reliabilityChart(label: string, { bins }: Reliability): Html {
  const most = Math.log1p(Math.max(...bins.map(({ count }) => count)));
  return chart(label, ({ narrow }) => ({
    width: narrow ? 350 : 440,
    height: narrow ? 330 : 400,
    marginLeft: 44,
    marginRight: 16,
    marginTop: 24,
    marginBottom: 44,
    x: { domain: [0, 1], label: "predicted", labelOffset: 38, ticks: 5 },
    y: { domain: [0, 1], label: "volunteers, mean", grid: true, ticks: 5 },
    r: { type: "identity" },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: "var(--muted)", strokeDasharray: "2 4" },
      ),
      Plot.line(bins, {
        x: "predicted",
        y: "observed",
        stroke: "var(--accent)",
        strokeOpacity: 0.5,
      }),
      Plot.dot(bins, {
        x: "predicted",
        y: "observed",
        r: (bin) => 2 + 6 * (Math.log1p(bin.count) / most),
        fill: "var(--accent)",
        title: (bin) =>
          `${bin.from} to ${bin.to}: ${formatCount(bin.count)} predictions, mean ${bin.predicted.toFixed(4)}, volunteers ${bin.observed.toFixed(4)}`,
      }),
    ],
  }));
}

/** One answer for one galaxy as it is turned, mirrored in the second colour, the volunteers' fraction dashed. */
export function turningCurve(
  label: string,
  { label: truth, plain, mirrored }: Equivariance["examples"][number],
): Html {
  const points = (values: readonly number[]) =>
    values.map((value, i) => ({ degrees: (i * 360) / values.length, value }));
  const line = (values: readonly number[], stroke: string) =>
    Plot.line(points(values), { x: "degrees", y: "value", stroke, strokeWidth: 2 });
  return svg(label, {
    width: 260,
    height: 150,
    marginTop: 8,
    marginRight: 12,
    marginBottom: 24,
    marginLeft: 28,
    x: {
      domain: [0, 330],
      label: null,
      ticks: [0, 90, 180, 270],
      tickFormat: (d: number) => `${d}°`,
    },
    y: { domain: [0, 1], label: null, ticks: HALVES, grid: true },
    marks: [
      Plot.ruleY([truth], { stroke: "var(--muted)", strokeDasharray: "2 4" }),
      line(mirrored, "var(--series-2)"),
      line(plain, "var(--series-1)"),
    ],
  });
}
