/** What the parts of a data set are called, in the order in which they are looked for: a folder, or a zip with .zip behind it. */
export const TRAIN: readonly string[] = ["images_training_rev1", "images_train_rev1", "images"];
/** With .csv behind it also a file. */
export const LABELS: readonly string[] = ["training_solutions_rev1", "labels"];
export const TEST: readonly string[] = ["images_test_rev1", "test"];
/** The one zip that Kaggle sends for everything. */
export const WHOLE = "galaxy-zoo-the-galaxy-challenge.zip";

/** Whether a name in a folder is a part of a data set, or all of it. */
export function isPart(name: string): boolean {
  const part = name.replace(/\.zip$/, "");
  if (name === WHOLE || [...TRAIN, ...TEST, ...LABELS].includes(part)) return true;
  return LABELS.some((labels) => name === `${labels}.csv`);
}
