/**
 * How much predictions change when a galaxy is turned or mirrored, which should change nothing: their standard deviation
 * over 12 turns of 30 degrees, each also mirrored, of single predictions, and of means over 8 of them (quarter turns and
 * mirrors), as test-time averaging takes. The three such means differ by turns of 30 degrees.
 */
import type { Draw } from "@gz/augment";
import { transforms } from "@gz/ensemble";
import { columnsOf, type QuestionTree } from "@gz/galaxies";
import { placedQuestions } from "./questions.ts";

const TURN = 30;
const TURNS = 360 / TURN;
/** Turns until a quarter turn comes round: the number of means. */
const GROUPS = 90 / TURN;

/** Twelve turns, each as it is and mirrored: 24 transforms, the mirror changing fastest. */
export const TURNED: readonly Draw[] = transforms({
  rotations: Array.from({ length: TURNS }, (_, i) => i * TURN),
  flips: [false, true],
});

/** Standard deviations (root mean square over galaxies and answers) of predictions over transforms. */
interface Spread {
  /** Of single predictions. */
  before: number;
  /** Of means over 8. */
  after: number;
}

/** One answer for one galaxy under all transforms. */
interface TurnedGalaxy {
  id: number;
  column: number;
  label: number;
  /** Predictions at 0, 30, … 330 degrees, as it is and mirrored. */
  plain: number[];
  mirrored: number[];
}

/** What turning and mirroring do to a model's predictions. */
export interface Equivariance extends Spread {
  galaxies: number;
  questions: Spread[];
  /** The galaxies with the answer that changes most, the most changeable first. */
  examples: TurnedGalaxy[];
}

/** Collects predictions under TURNED, galaxy by galaxy. */
export function createEquivariance(
  tree: QuestionTree,
  examples: number,
): {
  /** @param outputs [24, columns] predictions of one galaxy. */
  add(id: number, outputs: Float32Array, labels: Float32Array): void;
  /** @throws Error before the first galaxy. */
  result(): Equivariance;
} {
  const width = columnsOf(tree).length;
  const before = new Float64Array(width);
  const after = new Float64Array(width);
  const found: (TurnedGalaxy & { variance: number })[] = [];
  let galaxies = 0;
  return {
    add(id, outputs, labels) {
      if (outputs.length !== TURNED.length * width)
        throw new RangeError(
          `add: expected ${TURNED.length} x ${width} outputs for galaxy ${id} but got ${outputs.length}`,
        );
      galaxies++;
      let widest = { variance: -1, column: 0, values: [] as number[] };
      for (let column = 0; column < width; column++) {
        const values = TURNED.map((_, t) => outputs[t * width + column]!);
        const { single, mean } = variances(values);
        before[column]! += single;
        after[column]! += mean;
        if (single > widest.variance) widest = { variance: single, column, values };
      }
      const { column, values } = widest;
      found.push({
        id,
        column,
        label: labels[column]!,
        plain: values.filter((_, t) => t % 2 === 0),
        mirrored: values.filter((_, t) => t % 2 === 1),
        variance: widest.variance,
      });
      found.sort((a, b) => b.variance - a.variance).splice(examples);
    },
    result() {
      if (galaxies === 0) throw new Error("result: expected at least one galaxy but got none");
      const spread = (first: number, end: number): Spread => {
        const rms = (sums: Float64Array) =>
          Math.sqrt(
            sums.subarray(first, end).reduce((a, b) => a + b, 0) / (end - first) / galaxies,
          );
        return { before: rms(before), after: rms(after) };
      };
      return {
        galaxies,
        ...spread(0, width),
        questions: placedQuestions(tree).map(({ first, end }) => spread(first, end)),
        examples: found.map(({ variance: _, ...example }) => example),
      };
    },
  };
}

/**
 * Variances of single predictions and of means over 8. The eight quarter turns and mirrors are all that there are, but
 * the groups of them are a sample of the turns between: so the variance of the means is the unbiased one, and a single
 * prediction's is that within the groups on top of it. A network that is blind to quarter turns and mirrors has both alike.
 */
function variances(values: readonly number[]): { single: number; mean: number } {
  const groups = Array.from({ length: GROUPS }, (_, group) =>
    values.filter((_, t) => Math.floor(t / 2) % GROUPS === group),
  );
  const means = groups.map(meanOf);
  const mean = (squaredDeviation(means) * GROUPS) / (GROUPS - 1);
  return { single: mean + meanOf(groups.map(squaredDeviation)), mean };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean squared deviation from the mean. */
function squaredDeviation(values: readonly number[]): number {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
}
