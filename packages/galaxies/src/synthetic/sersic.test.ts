import { expect, test } from "vitest";
import { type Canvas, createCanvas } from "./canvas.ts";
import { addSpheroid, type Spheroid, sersicB, sersicTotal } from "./sersic.ts";

const white = [1, 1, 1] as const;

function draw(spheroid: Partial<Spheroid>): { canvas: Canvas; light: Float32Array } {
  const canvas = createCanvas(1);
  const round = { x: 215.5, y: 215.5, radius: 16, sersic: 1, axisRatio: 1, angle: 0, boxiness: 0 };
  addSpheroid(canvas, { ...round, flux: 1e6, ...spheroid }, white);
  return { canvas, light: canvas.bands[0] };
}

/** Share of the light of exp(-b r^(1/n)) inside r = 1, by Simpson's rule in t = r^(1/(2n)). */
function shareInside(b: number, n: number): number {
  const integral = (to: number): number => {
    const steps = 20_000;
    const f = (t: number): number => t ** (4 * n - 1) * Math.exp(-b * t * t);
    let sum = f(0) + f(to);
    for (let i = 1; i < steps; i++) sum += (i % 2 ? 4 : 2) * f((i * to) / steps);
    return (sum * to) / steps / 3;
  };
  return integral(1) / integral(8);
}

test.each([0.7, 1, 2, 4, 6])(
  "the effective radius of a Sersic profile of index %d holds half of the light",
  (n) => {
    expect(shareInside(sersicB(n), n)).toBeCloseTo(0.5, n < 1 ? 3 : 4);
  },
);

test("the total light of an exponential disk is 2 pi h^2 times its central brightness", () => {
  const b = sersicB(1);
  expect(sersicTotal(1)).toBeCloseTo((2 * Math.PI * Math.exp(b)) / (b * b), 8);
});

test.each([1, 2.5, 4])(
  "pixels of a spheroid of index %d follow exp(-b ((r/Re)^(1/n) - 1)) to 0.3 per cent",
  (n) => {
    const { canvas, light } = draw({ sersic: n, radius: 20 });
    // Relative to one effective radius, so that neither the total nor its formula is needed.
    const at = (dx: number): number => light[215 * canvas.size + 215 + dx]!;
    const b = sersicB(n);
    for (const dx of [8, 15, 40, 60, 90]) {
      const r = Math.hypot(dx - 0.5, 0.5) / 20;
      const r0 = Math.hypot(19.5, 0.5) / 20;
      const expected = Math.exp(-b * (r ** (1 / n) - r0 ** (1 / n)));
      expect(at(dx) / at(20) / expected).toBeCloseTo(1, 2.5);
    }
  },
);

test.each([
  [1, 0],
  [2.5, 0],
  [1, 0.8],
])(
  "the pixels of a spheroid of index %d and boxiness %d add up to its flux to 1 per cent",
  (sersic, boxiness) => {
    const { light } = draw({ sersic, radius: 12, axisRatio: 0.6, boxiness });
    const sum = light.reduce((a, b) => a + b, 0);
    expect(sum / 1e6).toBeGreaterThan(0.98);
    expect(sum / 1e6).toBeLessThan(1.005);
  },
);

test.each([0, 30, 75, 140])(
  "second moments give back the position angle %d and the axis ratio",
  (angle) => {
    const { canvas, light } = draw({ angle, axisRatio: 0.5, radius: 15 });
    let [total, xx, yy, xy] = [0, 0, 0, 0];
    for (let y = 0; y < canvas.size; y++)
      for (let x = 0; x < canvas.size; x++) {
        const w = light[y * canvas.size + x]!;
        total += w;
        xx += w * (x - 215.5) ** 2;
        yy += w * (y - 215.5) ** 2;
        xy += w * (x - 215.5) * (y - 215.5);
      }
    const measured = (Math.atan2(2 * xy, xx - yy) / 2) * (180 / Math.PI);
    expect(Math.cos(((measured - angle) * Math.PI) / 90)).toBeCloseTo(1, 4);
    const middle = (xx + yy) / 2;
    const spread = Math.hypot((xx - yy) / 2, xy);
    expect(Math.sqrt((middle - spread) / (middle + spread))).toBeCloseTo(0.5, 2);
    expect(total / 1e6).toBeCloseTo(1, 2);
  },
);
