/**
 * The winner's split: no shuffle, the last tenth of the rows validates (method of S. Dieleman's solution; 6,157 of
 * Kaggle's 61,578 rows).
 */
export function splitRows(rows: number): { train: number; valid: number } {
  const valid = Math.floor(rows / 10);
  return { train: rows - valid, valid };
}

/** Mean of the first `rows` rows of so many fractions. */
export function meanLabel(labels: Float32Array, rows: number, columns: number): Float32Array {
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows * columns; i++) sums[i % columns]! += labels[i]!;
  return Float32Array.from(sums, (sum) => sum / rows);
}
