import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
} from "node:fs";

/** A file of JSON lines that only grows. */
export interface Metrics {
  /**
   * Appends one line and hands it to the system at once: a killed process loses nothing it has written. JSON has neither NaN
   * nor Infinity: they become null. Throws, and leaves the file as it was, for a step that is no number or a full disk.
   */
  write(record: Record<string, unknown> & { step: number }): void;
  close(): void;
}

/**
 * Opens `file` for appending, one JSON object with a `step` a line. A last line that a killed run left half written is
 * dropped. With `truncateAfterStep` (a checkpoint's step), so is everything from the first later step on, which the
 * resumed run will write again.
 *
 * Throws an Error with the line's number where a line in the middle is not such an object.
 */
export function openMetrics(
  file: string,
  { truncateAfterStep = Infinity }: { truncateAfterStep?: number } = {},
): Metrics {
  if (Number.isNaN(truncateAfterStep))
    throw new RangeError("openMetrics: expected a number for truncateAfterStep but got NaN");
  if (existsSync(file)) truncateSync(file, lengthToKeep(file, truncateAfterStep));
  const handle = openSync(file, "a");
  return {
    write(record) {
      if (!Number.isFinite(record.step))
        throw new TypeError(
          `openMetrics: expected a number for step but got ${String(record.step)}`,
        );
      const { size } = fstatSync(handle);
      try {
        appendFileSync(handle, `${JSON.stringify(record)}\n`);
      } catch (error) {
        ftruncateSync(handle, size); // the part of a line that a full disk took
        throw new Error(
          `openMetrics: expected to write to ${file} but got ${(error as Error).message}`,
          { cause: error },
        );
      }
    },
    close() {
      closeSync(handle);
    },
  };
}

function lengthToKeep(file: string, lastStep: number): number {
  const content = readFileSync(file);
  let start = 0;
  for (let line = 1; ; line++) {
    const end = content.indexOf("\n", start);
    if (end === -1) return start;
    if (stepIn(content.toString("utf8", start, end), `${file} line ${line}`) > lastStep)
      return start;
    start = end + 1;
  }
}

function stepIn(line: string, where: string): number {
  try {
    const { step } = JSON.parse(line);
    if (typeof step === "number") return step;
  } catch {}
  throw new Error(
    `openMetrics: expected a JSON object with a step in ${where} but got ${line.slice(0, 60)}`,
  );
}
