import { read } from "node:fs";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import yauzl from "yauzl";

const readFile = promisify(read);
const CHUNK = 1 << 20;

/** yauzl's view of a byte range; small reads (the directory's entries) are served from a window. */
export class RangeReader extends yauzl.RandomAccessReader {
  readonly fd: number;
  readonly start: number;
  readonly size: number;
  window: Buffer = Buffer.alloc(0);
  windowStart = 0;

  constructor(fd: number, start: number, size: number) {
    super();
    this.fd = fd;
    this.start = start;
    this.size = size;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.chunks(start, end));
  }

  // Not fs.createReadStream: destroying that closes the descriptor, autoClose or not.
  async *chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const chunk = await readUpTo(this.fd, this.start + at, Math.min(CHUNK, end - at));
      if (chunk.length === 0) return; // yauzl says so
      yield chunk;
      at += chunk.length;
    }
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const from = position - this.windowStart;
    if (from >= 0 && from + length <= this.window.length) {
      this.window.copy(buffer, offset, from, from + length);
      queueMicrotask(() => callback(null));
      return;
    }
    const want = Math.min(Math.max(length, CHUNK), this.size - position);
    if (want < length) {
      callback(new Error("unexpected EOF"));
      return;
    }
    readUpTo(this.fd, this.start + position, want).then(
      (window) => {
        if (window.length < length) {
          callback(new Error("unexpected EOF"));
          return;
        }
        this.window = window;
        this.windowStart = position;
        window.copy(buffer, offset, 0, length);
        callback(null);
      },
      (error) => callback(error),
    );
  }
}

/** Reads at a position; fewer bytes where the file ends. */
export async function readUpTo(fd: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await readFile(fd, buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
