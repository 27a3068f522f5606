import { open } from "node:fs/promises";

const CHUNK = 2 ** 30;

/** A file's content; fs.readFile refuses files of 2 GiB and more, which the state of a large model reaches. */
export async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const content = Buffer.allocUnsafeSlow(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await file.read(content, length, Math.min(CHUNK, size - length));
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return content.subarray(0, length);
  } finally {
    await file.close();
  }
}
