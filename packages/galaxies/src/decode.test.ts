import sharp from "sharp";
import { expect, test } from "vitest";
import { jpeg } from "../test/helpers.ts";
import { decode } from "./decode.ts";

const SIZE = { width: 2, height: 3 };

/** Two pixels wide, three high, every value different. */
const PIXELS = Uint8Array.from({ length: 18 }, (_, i) => 10 * i);

test("rows, then columns, then red, green, blue", async () => {
  const png = await sharp(PIXELS, { raw: { width: 2, height: 3, channels: 3 } })
    .png()
    .toBuffer();
  const image = await decode(png, SIZE);
  expect(image.shape).toEqual([3, 2, 3]);
  expect(image.data).toBeInstanceOf(Uint8Array);
  expect([...image.data]).toEqual([...PIXELS]);
  expect(image.get(2, 1, 0)).toBe(150);
});

test("greyscale becomes three equal channels, alpha is dropped", async () => {
  const grey = await sharp(PIXELS.subarray(0, 6), { raw: { width: 2, height: 3, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
  expect((await sharp(grey).metadata()).channels).toBe(1);
  expect([...(await decode(grey, SIZE)).data]).toEqual(
    [0, 10, 20, 30, 40, 50].flatMap((value) => [value, value, value]),
  );
  const alpha = await sharp(PIXELS, { raw: { width: 2, height: 3, channels: 3 } })
    .ensureAlpha(0.5)
    .png()
    .toBuffer();
  expect((await sharp(alpha).metadata()).channels).toBe(4);
  expect([...(await decode(alpha, SIZE)).data]).toEqual([...PIXELS]);
});

test("one colour survives the JPEG", async () => {
  const image = await decode(await jpeg(200), { width: 16, height: 16 });
  expect(image.data.length).toBe(16 * 16 * 3);
  for (const [channel, value] of [200, 64, 128].entries())
    expect(Math.abs(image.get(7, 9, channel) - value)).toBeLessThanOrEqual(2);
});

test("says which image is damaged, cut short or empty, and how", async () => {
  const whole = await jpeg(1);
  await expect(decode(whole.subarray(0, -2), { name: "images/7.jpg" })).rejects.toThrow(
    `decode: expected an image that can be decoded for images/7.jpg but got ${whole.length - 2} bytes (VipsJpeg: premature end of JPEG image)`,
  );
  await expect(decode(Buffer.from("<html>"), { name: "7.jpg" })).rejects.toThrow(
    "decode: expected an image that can be decoded for 7.jpg but got 6 bytes (Input buffer contains unsupported image format)",
  );
  await expect(decode(Buffer.alloc(0))).rejects.toThrow(
    "decode: expected an image that can be decoded for the image but got an empty file",
  );
  await expect(decode(undefined as unknown as Buffer, { name: "7.jpg" })).rejects.toThrow(
    "decode: expected a Uint8Array for 7.jpg but got undefined",
  );
});

test("fit cover takes the largest centred part, and leaves an image of the expected size alone", async () => {
  const wide = Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => 5 * i);
  const png = await sharp(wide, { raw: { width: 5, height: 3, channels: 3 } })
    .png()
    .toBuffer();
  const square = await decode(png, { width: 3, height: 3, fit: "cover" });
  expect(square.shape).toEqual([3, 3, 3]);
  const columns = [0, 1, 2].flatMap((row) => [...wide.subarray(15 * row + 3, 15 * row + 12)]);
  expect([...square.data]).toEqual(columns);
  expect((await decode(png, { width: 5, height: 3, fit: "cover" })).data).toEqual(wide);
  // Twice as large: the middle of a horizontal ramp, half as steep.
  const ramp = Uint8Array.from({ length: 60 * 20 }, (_, i) => 4 * (i % 60));
  const grey = await sharp(ramp, { raw: { width: 60, height: 20, channels: 1 } })
    .png()
    .toBuffer();
  const large = await decode(grey, { width: 40, height: 40, fit: "cover" });
  for (let x = 4; x < 36; x++)
    expect(Math.abs(large.get(20, x, 0) - 4 * ((x - 19.5) / 2 + 29.5))).toBeLessThanOrEqual(1);
});

test("fit is one of two", async () => {
  const image = await jpeg(1);
  await expect(decode(image, { fit: "fill" as "cover" })).rejects.toThrow(
    'decode: expected "exact" or "cover" for fit but got "fill"',
  );
});

test("another size is refused; 424 x 424 is expected if nothing is said", async () => {
  const image = await jpeg(1);
  await expect(decode(image, { name: "7.jpg" })).rejects.toThrow(
    "decode: expected 424 x 424 pixels for 7.jpg but got 16 x 16",
  );
  await expect(decode(image, { width: 16, height: 8 })).rejects.toThrow(
    "decode: expected 16 x 8 pixels for the image but got 16 x 16",
  );
});
