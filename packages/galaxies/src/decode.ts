import type { NdArray } from "ndarray";
import ndarray from "ndarray";
import sharp from "sharp";
import { expected } from "./_check.ts";

/** What `decode` is told about the image. */
export interface DecodeOptions {
  /** File name for error messages. */
  name?: string;
  /** Expected size in pixels. */
  width?: number;
  height?: number;
}

/**
 * Decodes a JPEG (or any format sharp reads) to uint8 RGB [height, width, 3].
 * Greyscale becomes three equal channels; an alpha channel is dropped. Decoding runs on libuv's threads: several calls
 * at a time use several cores (UV_THREADPOOL_SIZE).
 *
 * Throws when the bytes are no whole image or the size is not width x height (Galaxy Zoo: 424 x 424).
 */
export async function decode(
  bytes: Uint8Array,
  { name = "the image", width = 424, height = 424 }: DecodeOptions = {},
): Promise<NdArray<Uint8Array>> {
  if (!(bytes instanceof Uint8Array)) throw expected("decode", "a Uint8Array", name, bytes);
  const undecodable = (what: string, cause?: unknown): Error =>
    new Error(`decode: expected an image that can be decoded for ${name} but got ${what}`, {
      cause,
    });
  if (bytes.length === 0) throw undecodable("an empty file");
  // sharp's defaults stay: concurrency(1) and cache(false) measure the same on JPEGs of this size, and are global.
  const { data, info } = await sharp(bytes)
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
      `decode: expected ${width} x ${height} pixels for ${name} but got ${info.width} x ${info.height}`,
    );
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return ndarray(pixels, [height, width, 3]);
}
