import { around, type Canvas, type Rgb } from "./canvas.ts";
import { ANGLES, FIELDS, type Texture, textureRow } from "./texture.ts";

/** A disk on the camera's grid, lengths in its pixels, angles in degrees. */
export interface Disk {
  x: number;
  y: number;
  /** Scale length. */
  radius: number;
  /** Axis ratio seen edge-on. */
  thickness: number;
  angle: number;
  inclination: number;
  flux: number;
}

/** Above this inclination the disk is drawn as seen from its edge, without arms. */
const EDGE_ON = 78;
const REACH = 7;
// Extinction in red, green and blue: blue light is absorbed most.
const EXTINCTION: Rgb = [0.7, 1, 1.45];

/** Apparent axis ratio of a disk. */
export function diskAxisRatio(inclination: number, thickness: number): number {
  const cos = Math.cos((inclination * Math.PI) / 180);
  return Math.sqrt(cos * cos + thickness * thickness * (1 - cos * cos));
}

/** Whether a disk of this inclination, in degrees, is drawn from its edge. */
export function isEdgeOn(inclination: number): boolean {
  return inclination > EDGE_ON;
}

/**
 * Adds an inclined exponential disk, its light, colour and dust multiplied by a polar texture:
 * I = flux / (2 pi h^2 q) exp(-R / h), R the radius in the disk's plane.
 */
export function addDisk(canvas: Canvas, disk: Disk, old: Rgb, young: Rgb, texture: Texture): void {
  const { x, y, radius: h, flux } = disk;
  if (!(flux > 0)) return;
  const q = diskAxisRatio(disk.inclination, disk.thickness);
  const peak = flux / (2 * Math.PI * h * h * q);
  const cos = Math.cos((disk.angle * Math.PI) / 180);
  const sin = Math.sin((disk.angle * Math.PI) / 180);
  const { size, bands } = canvas;
  const [red, green, blue] = bands;
  const { x0, x1, y0, y1 } = around(canvas, x, y, REACH * h);
  const cells = texture.cells;
  const stride = ANGLES * FIELDS;
  for (let j = y0; j <= y1; j++) {
    const dy = j - y;
    for (let i = x0; i <= x1; i++) {
      const dx = i - x;
      const u = dx * cos + dy * sin;
      const v = (dy * cos - dx * sin) / q;
      const r = Math.sqrt(u * u + v * v) / h;
      if (r > REACH) continue;
      const t = textureRow(r);
      const row = t | 0;
      let a = Math.atan2(v, u) * (ANGLES / (2 * Math.PI));
      if (a < 0) a += ANGLES;
      const column = Math.min(a | 0, ANGLES - 1);
      const ft = t - row;
      const fa = a - column;
      const p00 = row * stride + column * FIELDS;
      const p01 = column === ANGLES - 1 ? row * stride : p00 + FIELDS;
      const w00 = (1 - ft) * (1 - fa);
      const w01 = (1 - ft) * fa;
      const w10 = ft * (1 - fa);
      const w11 = ft * fa;
      const p10 = p00 + stride;
      const p11 = p01 + stride;
      const light =
        peak *
        Math.exp(-r) *
        (w00 * cells[p00]! + w01 * cells[p01]! + w10 * cells[p10]! + w11 * cells[p11]!);
      const blueness =
        w00 * cells[p00 + 1]! +
        w01 * cells[p01 + 1]! +
        w10 * cells[p10 + 1]! +
        w11 * cells[p11 + 1]!;
      const dust =
        w00 * cells[p00 + 2]! +
        w01 * cells[p01 + 2]! +
        w10 * cells[p10 + 2]! +
        w11 * cells[p11 + 2]!;
      const p = j * size + i;
      red[p]! += (light * (old[0] + blueness * (young[0] - old[0]))) / (1 + EXTINCTION[0] * dust);
      green[p]! += (light * (old[1] + blueness * (young[1] - old[1]))) / (1 + EXTINCTION[1] * dust);
      blue[p]! += (light * (old[2] + blueness * (young[2] - old[2]))) / (1 + EXTINCTION[2] * dust);
    }
  }
}

/**
 * Adds a disk seen from its edge: (1 + |u|/h) exp(-|u|/h) along, which is close to the projected
 * exponential disk (|u|/h) K1(|u|/h), and sech^2 across.
 */
export function addEdgeOnDisk(
  canvas: Canvas,
  disk: Disk,
  inner: Rgb,
  outer: Rgb,
  warp: number,
): void {
  const { x, y, radius: h, flux } = disk;
  if (!(flux > 0)) return;
  const z = 0.85 * h * diskAxisRatio(disk.inclination, disk.thickness);
  const peak = flux / (8 * h * z);
  const cos = Math.cos((disk.angle * Math.PI) / 180);
  const sin = Math.sin((disk.angle * Math.PI) / 180);
  const { size, bands } = canvas;
  const { x0, x1, y0, y1 } = around(canvas, x, y, REACH * h);
  for (let j = y0; j <= y1; j++) {
    const dy = j - y;
    for (let i = x0; i <= x1; i++) {
      const dx = i - x;
      const u = (dx * cos + dy * sin) / h;
      const v = (dy * cos - dx * sin) / z - warp * u * u * u;
      const s = Math.abs(u);
      if (s > REACH || Math.abs(v) > 7) continue;
      const e = Math.exp(-2 * Math.abs(v));
      // sech^2 v = 4 e^(-2v) / (1 + e^(-2v))^2; disks end at about 4 scale lengths.
      const across = (4 * e) / ((1 + e) * (1 + e));
      const light = (peak * (1 + s) * Math.exp(-s) * across) / (1 + (s / 4) ** 8);
      const p = j * size + i;
      // Stars are younger, and there is less dust, farther out.
      const out = 0.22 * Math.min(s, 3);
      for (let k = 0; k < 3; k++)
        bands[k]![p]! += light * (inner[k]! + out * (outer[k]! - inner[k]!));
    }
  }
}

/**
 * Adds a bar in the disk's plane: isophotes |u/a|^2.6 + |v/b|^2.6, flat inside and cut off at the
 * ends. `angle` is from the disk's major axis.
 */
export function addBar(
  canvas: Canvas,
  disk: Disk,
  bar: { length: number; angle: number; flux: number },
  rgb: Rgb,
): void {
  if (!(bar.flux > 0)) return;
  const q = diskAxisRatio(disk.inclination, disk.thickness);
  const a = bar.length;
  const b = 0.26 * a;
  const cos = Math.cos((disk.angle * Math.PI) / 180);
  const sin = Math.sin((disk.angle * Math.PI) / 180);
  const cosBar = Math.cos((bar.angle * Math.PI) / 180);
  const sinBar = Math.sin((bar.angle * Math.PI) / 180);
  const { size, bands } = canvas;
  // The integral of exp(-1.4 e^2.2) over the ellipse is about 0.72 of its area.
  const peak = bar.flux / (0.72 * Math.PI * a * b * q);
  const { x0, x1, y0, y1 } = around(canvas, disk.x, disk.y, 1.8 * a);
  for (let j = y0; j <= y1; j++) {
    const dy = j - disk.y;
    for (let i = x0; i <= x1; i++) {
      const dx = i - disk.x;
      const u = dx * cos + dy * sin;
      const v = (dy * cos - dx * sin) / q;
      const s = Math.abs((u * cosBar + v * sinBar) / a);
      const t = Math.abs((v * cosBar - u * sinBar) / b);
      if (s > 1.8 || t > 2.4) continue;
      const light = peak * Math.exp(-1.4 * (s ** 2.6 + t ** 2.6) ** (2.2 / 2.6));
      const p = j * size + i;
      bands[0][p]! += light * rgb[0];
      bands[1][p]! += light * rgb[1];
      bands[2][p]! += light * rgb[2];
    }
  }
}

/** Dims all light drawn so far by a dust lane along the disk, tau its optical depth at the middle. */
export function addDustLane(canvas: Canvas, disk: Disk, tau: number, offset: number): void {
  if (!(tau > 0)) return;
  const { x, y, radius: h } = disk;
  const q = diskAxisRatio(disk.inclination, disk.thickness);
  const z = Math.max(0.8, 0.28 * h * Math.min(q, 0.5));
  const cos = Math.cos((disk.angle * Math.PI) / 180);
  const sin = Math.sin((disk.angle * Math.PI) / 180);
  const { size, bands } = canvas;
  const { x0, x1, y0, y1 } = around(canvas, x, y, 4 * h);
  for (let j = y0; j <= y1; j++) {
    const dy = j - y;
    for (let i = x0; i <= x1; i++) {
      const dx = i - x;
      const u = (dx * cos + dy * sin) / h;
      const v = (dy * cos - dx * sin) / z - offset;
      if (Math.abs(v) > 4) continue;
      const depth = tau * Math.exp(-0.5 * v * v) * Math.exp(-((u / 2.6) ** 2));
      const p = j * size + i;
      for (let k = 0; k < 3; k++) bands[k]![p]! *= Math.exp(-EXTINCTION[k]! * depth);
    }
  }
}
