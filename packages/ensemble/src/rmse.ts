import { checkArray, checkFinite } from "./_check.ts";

/**
 * Root mean squared error over all numbers, sqrt(mean((p - y)^2)): the score of the Galaxy Zoo
 * challenge when both hold every answer of every galaxy.
 *
 * Throws a TypeError for what is no array, a RangeError for different or zero lengths and for numbers that
 * are not finite.
 */
export function rmse(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkArray("rmse", "labels", labels);
  checkArray("rmse", "predictions", predictions);
  if (labels.length === 0)
    throw new RangeError("rmse: expected at least one number for labels but got 0");
  if (predictions.length !== labels.length)
    throw new RangeError(
      `rmse: expected ${labels.length} numbers for predictions, as for labels, but got ${predictions.length}`,
    );
  checkFinite("rmse", "predictions", predictions);
  checkFinite("rmse", "labels", labels);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (predictions[i]! - labels[i]!) ** 2;
  return Math.sqrt(sum / labels.length);
}
