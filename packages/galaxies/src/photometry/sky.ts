/**
 * The background as SExtractor sees it (Bertin & Arnouts 1996, A&AS 117, 393, and SExtractor's manual, "Modeling the
 * background"): the image is cut into square cells, each cell gives its mode and the noise about it, a 3 x 3 median over
 * the cells removes those that a bright object fills, and cubics join what is left, first down the columns, then along the
 * rows. They are SExtractor's, not quite a natural spline: see spline.ts.
 */
import { cellMode } from "./cell-mode.ts";
import { BYTE_LEVELS, type Plane } from "./plane.ts";
import { secondDerivatives } from "./spline.ts";

/** Side of a cell in pixels: SExtractor's BACK_SIZE. */
const CELL = 64;

/** The background on the grid of cells. */
export interface Sky {
  readonly columns: number;
  readonly rows: number;
  /** Background of each cell [rows, columns], at the cell's middle. */
  readonly level: Float32Array;
  /** Standard deviation of the noise, one for the whole image: the median over the cells. */
  readonly noise: number;
}

/** Estimates the background of an image. */
export function estimateSky({ data, bytes, width, height }: Plane): Sky {
  const columns = Math.ceil(width / CELL);
  const rows = Math.ceil(height / CELL);
  const modes = new Float32Array(rows * columns);
  const noises = new Float32Array(rows * columns);
  const pixelsOf = bytes ? countingBytes(bytes, width, height) : copying(data, width, height);
  const histogram = new Int32Array(CELL * CELL + 1);
  for (let row = 0, i = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, i++) {
      const { values, counts } = pixelsOf(row, column);
      const { mode, noise } = cellMode(values, counts, histogram);
      modes[i] = mode;
      noises[i] = noise;
    }
  const level = medianFilter(modes, columns, rows);
  return { columns, rows, level, noise: globalNoise(medianFilter(noises, columns, rows)) };
}

/** The pixels of a cell: values, and how many pixels have each. */
type CellPixels = (row: number, column: number) => { values: Float32Array; counts: Int32Array };

/** Every pixel as a value of its own. */
function copying(data: Float32Array, width: number, height: number): CellPixels {
  const values = new Float32Array(CELL * CELL);
  const ones = new Int32Array(CELL * CELL).fill(1);
  return (row, column) => {
    let count = 0;
    const right = Math.min(width, (column + 1) * CELL);
    for (let y = row * CELL; y < Math.min(height, (row + 1) * CELL); y++)
      for (let x = column * CELL; x < right; x++) values[count++] = data[y * width + x]!;
    return { values: values.subarray(0, count), counts: ones.subarray(0, count) };
  };
}

/** The 256 values of bytes: counted once, where each pixel would be looked at three times. */
function countingBytes(bytes: Uint8Array, width: number, height: number): CellPixels {
  const counts = new Int32Array(BYTE_LEVELS.length);
  return (row, column) => {
    counts.fill(0);
    const right = Math.min(width, (column + 1) * CELL);
    for (let y = row * CELL; y < Math.min(height, (row + 1) * CELL); y++)
      for (let x = column * CELL; x < right; x++) counts[bytes[y * width + x]!]!++;
    return { values: BYTE_LEVELS, counts };
  };
}

/** Subtracts the background in place. */
export function subtractSky({ data, width, height }: Plane, sky: Sky): void {
  const { columns, rows, level } = sky;
  const curvature = new Float32Array(rows * columns);
  for (let column = 0; column < columns; column++)
    secondDerivatives(level, curvature, column, columns, rows);
  const node = new Float32Array(columns + 1);
  const bend = new Float32Array(columns + 1);
  // Along x SExtractor measures from a pixel's centre, along y from its upper edge.
  const across = splineWeights(width, columns, 0.5);
  const down = splineWeights(height, rows, 0);
  for (let y = 0; y < height; y++) {
    // The curve along y at the middle of each column of cells, then the curve through these.
    const row = down.knot[y]! * columns;
    for (let column = 0, i = row, k = 4 * y; column < columns; column++, i++) {
      const j = rows > 1 ? i + columns : i;
      node[column] =
        down.weight[k]! * level[i]! +
        down.weight[k + 1]! * level[j]! +
        down.weight[k + 2]! * curvature[i]! +
        down.weight[k + 3]! * curvature[j]!;
    }
    secondDerivatives(node, bend, 0, 1, columns);
    subtractSpline(data.subarray(y * width, (y + 1) * width), node, bend, across);
  }
}

function subtractSpline(
  line: Float32Array,
  node: Float32Array,
  bend: Float32Array,
  { ends, weight }: SplineWeights,
): void {
  for (let c = 0, x = 0, k = 0; c < ends.length; c++) {
    const nodeBefore = node[c]!;
    const nodeAfter = node[c + 1]!;
    const bendBefore = bend[c]!;
    const bendAfter = bend[c + 1]!;
    for (const end = ends[c]!; x < end; x++, k += 4)
      line[x]! -=
        weight[k]! * nodeBefore +
        weight[k + 1]! * nodeAfter +
        weight[k + 2]! * bendBefore +
        weight[k + 3]! * bendAfter;
  }
}

interface SplineWeights {
  readonly knot: Int32Array;
  readonly ends: Int32Array;
  readonly weight: Float32Array;
}

/**
 * For each pixel of a line the knot before it, for each knot but the last the pixel where the next one takes over, and
 * the weights [length, 4] of the value at a pixel's knot and the next and of the curvature there. The outermost cubics go
 * on to the edges.
 */
function splineWeights(length: number, knots: number, shift: number): SplineWeights {
  const knot = new Int32Array(length);
  const ends = new Int32Array(Math.max(1, knots - 1));
  const weight = new Float32Array(4 * length);
  for (let i = 0; i < length; i++) {
    const position = (i + shift) / CELL - 0.5;
    const before = Math.max(0, Math.min(knots - 2, Math.trunc(position)));
    const t = knots > 1 ? position - before : 0;
    const s = 1 - t;
    knot[i] = before;
    ends[before] = i + 1;
    weight.set([s, t, s * s * s - s, t * t * t - t], 4 * i);
  }
  return { knot, ends, weight };
}

/** 3 x 3 median; at an edge the window shrinks on both sides, so that it stays centred. */
function medianFilter(map: Float32Array, columns: number, rows: number): Float32Array {
  const out = new Float32Array(map.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const reachX = Math.min(1, column, columns - 1 - column);
      const reachY = Math.min(1, row, rows - 1 - row);
      const window: number[] = [];
      for (let y = row - reachY; y <= row + reachY; y++)
        for (let x = column - reachX; x <= column + reachX; x++) window.push(map[y * columns + x]!);
      out[row * columns + column] = median(window);
    }
  return out;
}

/** Median of the cells; where most have no noise at all (a constant image), of those that have some, or else 1. */
function globalNoise(noises: Float32Array): number {
  const noise = median([...noises]);
  if (noise > 0) return noise;
  const positive = [...noises].filter((value) => value > 0);
  return positive.length > 0 ? median(positive) : 1;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}
