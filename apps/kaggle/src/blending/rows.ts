import type { Predictions } from "@gz/galaxies";

/** The rows of these ids in their order, [ids, columns]; undefined if one is missing. */
export function rowsOf(
  { ids, values }: Predictions,
  wanted: readonly number[],
): Float32Array | undefined {
  const width = values.length / ids.length;
  const rows = new Map(ids.map((id, row) => [id, row]));
  const out = new Float32Array(wanted.length * width);
  for (const [i, id] of wanted.entries()) {
    const row = rows.get(id);
    if (row === undefined) return undefined;
    out.set(values.subarray(row * width, (row + 1) * width), i * width);
  }
  return out;
}
