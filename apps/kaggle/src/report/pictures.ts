/** Pictures as data URIs, small enough for a page that holds them all. */
import type { Dataset } from "@gz/galaxies";
import sharp from "sharp";

/** The middle of a labelled galaxy's image, `size` pixels a side. */
export async function galaxyPicture(dataset: Dataset, id: number, size: number): Promise<string> {
  const image = sharp(await dataset.read(id, "train"));
  const { width, height } = await image.metadata();
  const side = Math.round(Math.min(width, height) * 0.7);
  const jpeg = await image
    .extract({ left: (width - side) >> 1, top: (height - side) >> 1, width: side, height: side })
    .resize(size, size)
    .jpeg({ quality: 80, mozjpeg: true })
    .toBuffer();
  return dataUri("jpeg", jpeg);
}

/** A picture brought to `size` pixels a side, smoothly. */
export async function smoothPicture(png: Buffer, size: number): Promise<string> {
  return dataUri(
    "jpeg",
    await sharp(png).resize(size, size).jpeg({ quality: 85, mozjpeg: true }).toBuffer(),
  );
}

export function dataUri(kind: "jpeg" | "png", bytes: Buffer): string {
  return `data:image/${kind};base64,${bytes.toString("base64")}`;
}
