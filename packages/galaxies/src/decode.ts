import type { NdArray } from "ndarray";
import ndarray from "ndarray";
import sharp from "sharp";
import { expected } from "./_check.ts";

/**
 * What becomes of an image of another size: "exact" refuses it; "cover" takes the largest centred part of the expected
 * shape and resamples it (Lanczos) to the expected size.
 */
export type Fit = "exact" | "cover";

/** What `decode` is told about the image. */
export interface DecodeOptions {
  /** File name for error messages. */
  name?: string;
  /** Expected size in pixels. */
  width?: number;
  height?: number;
  /** Images of another size are refused ("exact", the default), or brought to it ("cover"). */
  fit?: Fit;
}

/**
 * Decodes a JPEG (or any format sharp reads) to uint8 RGB [height, width, 3].
 * Greyscale becomes three equal channels; an alpha channel is dropped. Decoding runs on libuv's threads: several calls
 * at a time use several cores (UV_THREADPOOL_SIZE).
 *
 * Throws when the bytes are no whole image or, unless `fit` is "cover", the size is not width x height (Galaxy Zoo: 424 x
 * 424).
 */
export async function decode(
  bytes: Uint8Array,
  { name = "the image", width = 424, height = 424, fit = "exact" }: DecodeOptions = {},
): Promise<NdArray<Uint8Array>> {
  if (!(bytes instanceof Uint8Array)) throw expected("decode", "a Uint8Array", name, bytes);
  checkFit("decode", fit);
  const undecodable = (what: string, cause?: unknown): Error =>
    new Error(`decode: expected an image that can be decoded for ${name} but got ${what}`, {
      cause,
    });
  if (bytes.length === 0) throw undecodable("an empty file");
  // sharp's defaults stay: concurrency(1) and cache(false) measure the same on JPEGs of this size, and are global.
  const image = sharp(bytes);
  if (fit === "cover") image.resize(width, height, { fit, fastShrinkOnLoad: false });
  const { data, info } = await image
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: Error) => {
      const why = error.message.split("\n")[0];
      throw undecodable(`${bytes.length} bytes (${why})`, error);
    });
  if (info.width !== width || info.height !== height)
    throw new Error(
      `decode: expected ${width} x ${height} pixels for ${name} but got ${info.width} x ${info.height} (fit: "cover" takes any size)`,
    );
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return ndarray(pixels, [height, width, 3]);
}

/** Throws unless it is one. */
export function checkFit(caller: string, fit: Fit): void {
  if (fit !== "exact" && fit !== "cover") throw expected(caller, '"exact" or "cover"', "fit", fit);
}
