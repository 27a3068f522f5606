import type { Rng } from "@gz/augment";
import { COLUMNS, KAGGLE_TREE } from "../tree.ts";
import { conditionalAnswers } from "./answers.ts";
import { checkParameters } from "./check-parameters.ts";
import type { GalaxyParameters } from "./parameters.ts";

const COLUMN_OF = new Map(COLUMNS.map((name, i) => [name, i]));

/**
 * The vote fractions to expect for a galaxy: how a crowd would answer the 37 answers of Galaxy Zoo,
 * cumulative along Kaggle's tree (every question's answers sum to its parents' weight; question 6
 * sums to 1). Smooth functions of the parameters: features that are small against the blur, faint
 * or seen from the side are doubted, and the doubt spreads over the answers.
 *
 * @returns 37 fractions in [0, 1], in the order of the labels' columns
 * @throws TypeError for parameters that no galaxy can have
 */
export function galaxyVotes(params: GalaxyParameters): Float32Array {
  checkParameters("galaxyVotes", params);
  const answers = conditionalAnswers(params);
  const votes = new Float64Array(COLUMN_OF.size);
  KAGGLE_TREE.forEach((question, i) => {
    const weight = parentWeight(question.parents, votes);
    question.answers.forEach((name, k) => {
      votes[COLUMN_OF.get(name)!] = weight * answers[i]![k]!;
    });
  });
  return Float32Array.from(votes);
}

/**
 * What a number of volunteers answer: each walks the tree and chooses by the expected fractions,
 * so a question deep in the tree is answered by few of them, and its fractions are rough.
 *
 * @param votes expected fractions, from `galaxyVotes`
 * @returns 37 fractions, multiples of 1 / volunteers, that obey Kaggle's tree
 * @throws RangeError for a number of volunteers that is not a positive integer, or another number of fractions
 */
export function castVotes(rng: Rng, votes: Float32Array, volunteers = 40): Float32Array {
  if (!Number.isInteger(volunteers) || volunteers < 1)
    throw new RangeError(
      `castVotes: expected a positive integer for volunteers but got ${volunteers}`,
    );
  if (votes.length !== COLUMN_OF.size)
    throw new RangeError(
      `castVotes: expected ${COLUMN_OF.size} fractions for votes but got ${votes.length}`,
    );
  const counts = new Float64Array(votes.length);
  for (const question of KAGGLE_TREE) {
    const columns = question.answers.map((name) => COLUMN_OF.get(name)!);
    const asked = question.parents ? parentWeight(question.parents, counts) : volunteers;
    const total = columns.reduce((sum, column) => sum + votes[column]!, 0);
    for (let v = 0; v < asked; v++) {
      let left = rng.uniform(0, total);
      let k = 0;
      while (k < columns.length - 1 && (left -= votes[columns[k]!]!) >= 0) k++;
      counts[columns[k]!]!++;
    }
  }
  return Float32Array.from(counts, (count) => count / volunteers);
}

function parentWeight(parents: readonly string[] | undefined, votes: Float64Array): number {
  if (!parents) return 1;
  return parents.reduce((sum, name) => sum + votes[COLUMN_OF.get(name)!]!, 0);
}
