/** Whether predicted fractions mean what they say: of all answers given 0.3, do people give 0.3 on average? */
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import { placedQuestions } from "./questions.ts";

const BINS = 10;

/** The predictions that fall between two fractions. */
interface ReliabilityBin {
  /** Lower and upper end; the last bin holds its upper end too. */
  from: number;
  to: number;
  count: number;
  /** Mean of the predictions, and mean of what volunteers said. */
  predicted: number;
  observed: number;
}

/** Reliability of a set of predicted fractions. */
export interface Reliability {
  /** Bins that hold a prediction, by rising fraction. */
  bins: ReliabilityBin[];
  /**
   * Expected calibration error: the mean over all predictions of how far their bin's mean prediction lies from its mean
   * observation (Naeini, Cooper & Hauskrecht 2015), here of vote fractions.
   */
  calibrationError: number;
}

/**
 * Predicted against mean observed fractions in ten bins of equal width; predictions beyond 0 or 1 count to the outermost.
 * @throws RangeError for no fractions, or different numbers of them
 */
export function reliability(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
): Reliability {
  if (labels.length === 0 || predictions.length !== labels.length)
    throw new RangeError(
      `reliability: expected as many labels as predictions, at least one, but got ${labels.length} and ${predictions.length}`,
    );
  const sums = Array.from({ length: BINS }, () => ({ count: 0, predicted: 0, observed: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const bin = sums[Math.min(BINS - 1, Math.max(0, Math.floor(predictions[i]! * BINS)))]!;
    bin.count++;
    bin.predicted += predictions[i]!;
    bin.observed += labels[i]!;
  }
  const bins = sums.flatMap(({ count, predicted, observed }, i) =>
    count === 0
      ? []
      : [
          {
            from: i / BINS,
            to: (i + 1) / BINS,
            count,
            predicted: predicted / count,
            observed: observed / count,
          },
        ],
  );
  const calibrationError = bins.reduce(
    (sum, { count, predicted, observed }) =>
      sum + (count / labels.length) * Math.abs(predicted - observed),
    0,
  );
  return { bins, calibrationError };
}

/** The reliability of each question's answers taken together; predictions and labels are [galaxies, columns]. */
export function questionReliability(
  predictions: Float32Array,
  labels: Float32Array,
  tree: QuestionTree,
): Reliability[] {
  const width = columnsOf(tree).length;
  return placedQuestions(tree).map(({ first, end }) => {
    const mine = (_: number, i: number) => i % width >= first && i % width < end;
    return reliability(predictions.filter(mine), labels.filter(mine));
  });
}
