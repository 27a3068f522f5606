/** Small square pictures as the tiles of one PNG, row by row: one file to keep, to look at, and to cut up again. */
import { writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import sharp from "sharp";

const COLUMNS = 12;

/** Writes pictures [side, side, 3] of 0..1 as tiles of side x side pixels. The file appears whole or not at all. */
export async function writeSprite(
  file: string,
  pictures: readonly Float32Array[],
  side: number,
): Promise<void> {
  const rows = Math.ceil(pictures.length / COLUMNS);
  const width = Math.min(COLUMNS, pictures.length) * side;
  const pixels = new Uint8Array(rows * side * width * 3);
  pictures.forEach((picture, tile) => {
    const { left, top } = placeOf(tile, side);
    for (let row = 0; row < side; row++) {
      const to = 3 * ((top + row) * width + left);
      const line = picture.subarray(3 * row * side, 3 * (row + 1) * side);
      pixels.set(
        line.map((value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
        to,
      );
    }
  });
  const png = await sharp(pixels, { raw: { width, height: rows * side, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, png);
  await rename(temporary, file);
}

/** The first `count` tiles, each as a PNG of its own. */
export async function readSprite(file: string, count: number, side: number): Promise<Buffer[]> {
  const tiles: Buffer[] = [];
  for (let tile = 0; tile < count; tile++)
    tiles.push(
      await sharp(file)
        .extract({ ...placeOf(tile, side), width: side, height: side })
        .png({ compressionLevel: 9 })
        .toBuffer(),
    );
  return tiles;
}

function placeOf(tile: number, side: number): { left: number; top: number } {
  return { left: (tile % COLUMNS) * side, top: Math.floor(tile / COLUMNS) * side };
}
