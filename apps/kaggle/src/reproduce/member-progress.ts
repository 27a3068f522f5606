/** How far an ensemble is, read from its folder: the same whoever works on it. */
import {
  type Ensemble,
  isPredicted,
  networksOf,
  predictedFraction,
  trainedFraction,
} from "./folder.ts";

export interface MemberProgress {
  name: string;
  /** Fractions, 1 once it is on the disk. */
  trained: number;
  predicted: number;
}

export interface EnsembleProgress {
  /** Planned seconds of work that are done, and of all, where members run side by side. */
  done: number;
  total: number;
  members: MemberProgress[];
}

export async function progressOf(ensemble: Ensemble): Promise<EnsembleProgress> {
  let done = 0;
  let total = 0;
  const members: MemberProgress[] = [];
  for (const member of networksOf(ensemble)) {
    const trained = isPredicted(ensemble, member) ? 1 : await trainedFraction(ensemble, member);
    const isTrainedOnly = member === ensemble.start;
    const predicted = trained < 1 || isTrainedOnly ? 0 : await predictedFraction(ensemble, member);
    const { name, predictSeconds } = member;
    // What has the machine for itself takes the time of all who else would share it.
    const trainSeconds = member.trainSeconds * (isTrainedOnly ? ensemble.lanes : 1);
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
