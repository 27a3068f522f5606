/** How far an ensemble is, read from its folder: the same whoever works on it. */
import { type Ensemble, isPredicted, predictedFraction, trainedFraction } from "./folder.ts";

export interface MemberProgress {
  name: string;
  /** Fractions, 1 once it is on the disk. */
  trained: number;
  predicted: number;
}

export interface EnsembleProgress {
  /** Planned seconds of work that are done, and of all. */
  done: number;
  total: number;
  members: MemberProgress[];
}

export async function progressOf(ensemble: Ensemble): Promise<EnsembleProgress> {
  let done = 0;
  let total = 0;
  const members: MemberProgress[] = [];
  for (const member of ensemble.planned) {
    const trained = isPredicted(ensemble, member) ? 1 : await trainedFraction(ensemble, member);
    const predicted = trained < 1 ? 0 : await predictedFraction(ensemble, member);
    const { name, trainSeconds, predictSeconds } = member;
    done += trainSeconds * trained + predictSeconds * predicted;
    total += trainSeconds + predictSeconds;
    members.push({ name, trained, predicted });
  }
  return { done, total, members };
}

/** "modern-1 trains 45%" */
export function describeMember({ name, trained, predicted }: MemberProgress): string {
  const [verb, fraction] = trained < 1 ? ["trains", trained] : ["predicts", predicted];
  return `${name} ${verb} ${Math.floor(100 * fraction)}%`;
}
