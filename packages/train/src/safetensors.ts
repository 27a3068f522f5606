/**
 * The safetensors format (https://huggingface.co/docs/safetensors): 8 bytes with the header's length, a JSON header
 * { name: { dtype, shape, data_offsets } } padded with spaces to a multiple of 8, then the raw values. Numbers are
 * little-endian, which is every machine that Node and TensorFlow.js run on today. The same tensors give the same bytes.
 */
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs";
import { show } from "./_check.ts";
import { readWhole } from "./_read-whole.ts";
import type { SavedState, State } from "./state.ts";

const DTYPES = { float32: "F32", int32: "I32" } as const;
const METADATA = "__metadata__";
type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };

/** What a file of tensors holds. */
export interface Safetensors {
  tensors: SavedState;
  /** The file's own notes; empty where it has none. */
  metadata: Record<string, string>;
}

/** A written file's size and hash. */
export interface FileDigest {
  bytes: number;
  sha256: string;
}

/**
 * Writes tensors (float32 or int32) and counters to a new file, one after the other (never all in memory), and flushes
 * it to the disk. `metadata` is what Python's `safe_open(...).metadata()` gives.
 * @throws where the file exists, a dtype is another, or a value is NaN or infinite; nothing of it is left then.
 */
export async function writeSafetensors(
  path: string,
  state: State,
  { metadata }: { metadata?: Record<string, string> } = {},
): Promise<FileDigest> {
  const hash = createHash("sha256");
  const start = header(state, metadata);
  const file = await open(path, "wx");
  let bytes = 0;
  const write = async (chunk: Uint8Array): Promise<void> => {
    hash.update(chunk);
    await file.appendFile(chunk);
    bytes += chunk.byteLength;
  };
  try {
    await write(start);
    for (const [name, value] of Object.entries(state)) {
      const data = typeof value === "number" ? Int32Array.of(value) : await value.data<"float32">();
      checkFinite(name, data);
      await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** A weight that is NaN or infinite; the caller may know at which step. */
export class NonFiniteValue extends Error {
  readonly tensor: string;
  constructor(tensor: string) {
    super(`writeSafetensors: expected finite values but ${tensor} holds NaN or Infinity`);
    this.tensor = tensor;
  }
}

function checkFinite(name: string, data: Float32Array | Int32Array): void {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0; // NaN as soon as one value is not finite
  if (sum !== 0) throw new NonFiniteValue(name);
}

function header(state: State, metadata: Record<string, string> | undefined): Uint8Array {
  const entries: Record<string, Entry | Record<string, string>> = {};
  if (metadata) entries[METADATA] = metadata;
  let offset = 0;
  for (const [name, value] of Object.entries(state)) {
    const shape = typeof value === "number" ? [] : value.shape;
    const dtype =
      DTYPES[typeof value === "number" ? "int32" : (value.dtype as keyof typeof DTYPES)];
    if (!dtype)
      throw new TypeError(
        `writeSafetensors: expected float32 or int32 for ${name} but got ${(value as tf.Tensor).dtype}`,
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

/**
 * Reads a file of float32 and int32 tensors, whoever wrote it.
 * @throws an Error that names the file, and the tensor, where it is no safetensors file, is cut short, or holds another
 * dtype.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const file = await readWhole(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`readSafetensors: expected the file ${path} but ${error.message}`, {
      cause: error,
    });
  });
  return parseSafetensors("readSafetensors", path, file);
}

/** The content of a file that has been read; `caller` and `path` are for messages. */
export function parseSafetensors(caller: string, path: string, file: Buffer): Safetensors {
  const fail = (what: string): never => {
    throw new Error(`${caller}: expected safetensors in ${path} but ${what}`);
  };
  const start = 8 + (file.length < 8 ? 0 : Number(file.readBigUInt64LE(0)));
  if (start > file.length) fail(`got ${file.length} bytes, which is less than a header`);
  let entries: Record<string, Entry> | null = {};
  try {
    entries = JSON.parse(file.toString("utf8", 8, start));
  } catch (error) {
    fail(`its header is not JSON (${(error as Error).message})`);
  }
  if (typeof entries !== "object" || entries === null) fail(`its header is ${show(entries)}`);
  const { [METADATA]: metadata = {}, ...rest } = entries!;
  const tensors: SavedState = {};
  for (const [name, entry] of Object.entries(rest)) {
    const { dtype, shape, data_offsets } = entry ?? {};
    if (!Array.isArray(shape) || !Array.isArray(data_offsets))
      fail(`${name} has no shape and data_offsets`);
    if (dtype !== "F32" && dtype !== "I32")
      fail(`${name} is ${show(dtype)}; F32 and I32 are what TensorFlow.js holds`);
    const [from, to] = data_offsets;
    if (!(Number.isInteger(from) && from >= 0)) fail(`${name} begins at byte ${show(from)}`);
    if (to - from !== 4 * tf.util.sizeFromShape(shape))
      fail(`${name} of shape ${show(shape)} has ${to - from} bytes`);
    if (start + to > file.length)
      fail(`it is cut short: ${name} ends at byte ${start + to} of ${file.length}`);
    const bytes = file.buffer.slice(file.byteOffset + start + from, file.byteOffset + start + to);
    tensors[name] =
      dtype === "F32"
        ? { dtype: "float32", shape, data: new Float32Array(bytes) }
        : { dtype: "int32", shape, data: new Int32Array(bytes) };
  }
  return { tensors, metadata: metadata as Safetensors["metadata"] };
}
