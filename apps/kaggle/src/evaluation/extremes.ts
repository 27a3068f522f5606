/** What is predicted where nobody, or everybody, gave an answer: labels of exactly 0 and exactly 1. */

/** A prediction this near to a hard label counts as a hit. */
const HIT = 0.01;

/** How the labels of one value are predicted. */
export interface Extreme {
  /** Labels of exactly this value. */
  labels: number;
  /** Mean prediction and root mean squared error for them; undefined where there are no such labels. */
  mean?: number;
  rmse?: number;
  /** Share of them predicted within HIT, and to the last bit. */
  near?: number;
  exact?: number;
  /** Their share of the squared error of all labels; undefined where there is no error. */
  errorShare?: number;
}

/**
 * Hard zeros and hard ones.
 * @throws RangeError for different numbers of predictions and labels
 */
export function extremes(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
): { zeros: Extreme; ones: Extreme } {
  if (predictions.length !== labels.length)
    throw new RangeError(
      `extremes: expected ${labels.length} predictions, as for labels, but got ${predictions.length}`,
    );
  let squares = 0;
  for (let i = 0; i < labels.length; i++) squares += (predictions[i]! - labels[i]!) ** 2;
  const of = (value: number): Extreme => {
    let [count, sum, own, near, exact] = [0, 0, 0, 0, 0];
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] !== value) continue;
      const error = predictions[i]! - value;
      count++;
      sum += predictions[i]!;
      own += error * error;
      if (Math.abs(error) <= HIT) near++;
      if (error === 0) exact++;
    }
    if (count === 0) return { labels: 0 };
    return {
      labels: count,
      mean: sum / count,
      rmse: Math.sqrt(own / count),
      near: near / count,
      exact: exact / count,
      ...(squares > 0 && { errorShare: own / squares }),
    };
  };
  return { zeros: of(0), ones: of(1) };
}
