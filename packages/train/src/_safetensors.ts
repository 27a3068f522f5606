/**
 * The safetensors format (https://huggingface.co/docs/safetensors): 8 bytes with the header's length, a JSON header
 * { name: { dtype, shape, data_offsets } } padded with spaces to a multiple of 8, then the raw values. Numbers are
 * little-endian, which is every machine that Node and TensorFlow.js run on today. The same tensors give the same bytes.
 */
import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { show } from "./_check.ts";
import type { SavedState, State } from "./state.ts";

const DTYPES = { float32: "F32", int32: "I32" } as const;
type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

export interface FileDigest {
  bytes: number;
  sha256: string;
}

/** Writes the tensors one after the other (never all in memory) and flushes them to the disk. */
export async function writeSafetensors(path: string, state: State): Promise<FileDigest> {
  const hash = createHash("sha256");
  const file = await open(path, "wx");
  let bytes = 0;
  const write = async (chunk: Uint8Array): Promise<void> => {
    hash.update(chunk);
    await file.appendFile(chunk);
    bytes += chunk.byteLength;
  };
  try {
    await write(header(state));
    for (const [name, value] of Object.entries(state)) {
      const data = typeof value === "number" ? Int32Array.of(value) : await value.data<"float32">();
      checkFinite(name, data);
      await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** A weight that is NaN or infinite; the caller knows at which step. */
export class NonFiniteValue extends Error {}

function checkFinite(name: string, data: Float32Array | Int32Array): void {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0; // NaN as soon as one value is not finite
  if (sum !== 0) throw new NonFiniteValue(name);
}

function header(state: State): Uint8Array {
  const entries: Header = {};
  let offset = 0;
  for (const [name, value] of Object.entries(state)) {
    const shape = typeof value === "number" ? [] : value.shape;
    const dtype =
      DTYPES[typeof value === "number" ? "int32" : (value.dtype as keyof typeof DTYPES)];
    if (!dtype)
      throw new TypeError(
        `saveCheckpoint: expected float32 or int32 for ${name} but got ${(value as tf.Tensor).dtype}`,
      );
    const end = offset + 4 * tf.util.sizeFromShape(shape);
    entries[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(entries));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  return padded;
}

/** What to do about a damaged checkpoint. */
export const howToGoOn = (folder: string): string =>
  `; remove ${folder} to go on from an earlier checkpoint`;

/** Reads a file whose size and hash the caller has noted; throws where they differ. */
export async function readSafetensors(path: string, noted: FileDigest): Promise<SavedState> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(
      `loadCheckpoint: expected the file ${path} but it is missing${howToGoOn(dirname(path))}`,
      {
        cause: error,
      },
    );
  });
  if (file.length !== noted.bytes)
    throw new Error(
      `loadCheckpoint: expected ${noted.bytes} bytes in ${path} but got ${file.length}: ${file.length < noted.bytes ? "it is cut short" : "it was changed"}${howToGoOn(dirname(path))}`,
    );
  const sha256 = createHash("sha256").update(file).digest("hex");
  if (sha256 !== noted.sha256)
    throw new Error(
      `loadCheckpoint: expected SHA-256 ${noted.sha256} of ${path} but got ${sha256}: it is damaged${howToGoOn(dirname(path))}`,
    );

  const start = 8 + Number(file.readBigUInt64LE(0));
  const entries = JSON.parse(file.toString("utf8", 8, start)) as Header;
  const saved: SavedState = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const [from, to] = data_offsets;
    const bytes = file.buffer.slice(file.byteOffset + start + from, file.byteOffset + start + to);
    if (dtype === "F32") saved[name] = { dtype: "float32", shape, data: new Float32Array(bytes) };
    else if (dtype === "I32") saved[name] = { dtype: "int32", shape, data: new Int32Array(bytes) };
    else
      throw new Error(
        `loadCheckpoint: expected F32 or I32 for ${name} in ${path} but got ${show(dtype)}`,
      );
  }
  return saved;
}
