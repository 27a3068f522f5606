/** Means over seeds, and what a variant differs by from the base, seed by seed. */

/** A mean over seeds with its standard error; undefined for one seed, which tells nothing of the spread. */
export interface Estimate {
  mean: number;
  standardError?: number;
  /** How many. */
  count: number;
}

/** What one seed gave. */
interface Scored {
  seed: number;
  rmse: number;
}

export function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, count };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, standardError: Math.sqrt(variance / count), count };
}

/**
 * The variant's score less the base's, over the seeds that both have: what the seed does to both (initial weights, order,
 * augmentation) falls out. Undefined where they share none.
 */
export function pairedDifference(
  variant: readonly Scored[],
  base: readonly Scored[],
): Estimate | undefined {
  const differences = variant.flatMap(({ seed, rmse }) => {
    const other = base.find((one) => one.seed === seed);
    return other ? [rmse - other.rmse] : [];
  });
  return differences.length > 0 ? estimate(differences) : undefined;
}

/** Student's t within which 95 % lie, by degrees of freedom from 1; for more than these the last, a little too wide. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

export type Verdict = "better" | "worse" | "no clear difference" | "one seed";

/** Whether 0 lies outside the 95 % interval of a difference; lower scores are better. */
export function verdictOf({ mean, standardError, count }: Estimate): Verdict {
  if (standardError === undefined) return "one seed";
  const t = STUDENT[Math.min(count - 1, STUDENT.length) - 1]!;
  if (Math.abs(mean) <= t * standardError) return "no clear difference";
  return mean < 0 ? "better" : "worse";
}
