/** Whether predictions are of the same galaxies and the same data set; if not, which file differs and how. */
import { CliError } from "../cli/errors.ts";
import { readOrigin } from "../run/origin.ts";

interface Table {
  file: string;
  ids: readonly number[];
}

/**
 * The ids that all tables have, in the order of the first. They are to be the expected ones, or else those that most
 * tables have; throws a CliError that names every table whose ids differ, how many and which.
 */
export function sameGalaxies(
  tables: readonly Table[],
  expected?: { name: string; ids: readonly number[] },
): number[] {
  const { name, ids } = expected ?? usual(tables);
  const wanted = new Set(ids);
  const problems = tables.flatMap(({ file, ids: given }) => {
    const own = new Set(given);
    const missing = [...wanted].filter((id) => !own.has(id));
    const others = given.filter((id) => !wanted.has(id));
    if (missing.length === wanted.size)
      return [
        `${file} has none of them, but ${others.length} others (${listIds(others)}): it is of another data set`,
      ];
    const parts = [
      ...(missing.length > 0 ? [`misses ${missing.length} (${listIds(missing)})`] : []),
      ...(others.length > 0 ? [`has ${others.length} others (${listIds(others)})`] : []),
    ];
    return parts.length > 0 ? [`${file} ${parts.join(" and ")}`] : [];
  });
  if (problems.length === 0) return [...tables[0]!.ids];
  throw new CliError(
    `blend: expected the ${wanted.size} galaxies of ${name} but ${problems.join("; ")}`,
  );
}

/** Of the tables that agree on their galaxies, the first of the largest party. */
function usual(tables: readonly Table[]): { name: string; ids: readonly number[] } {
  const parties = new Map<string, Table[]>();
  for (const table of tables) {
    const key = [...table.ids].sort((a, b) => a - b).join();
    parties.set(key, [...(parties.get(key) ?? []), table]);
  }
  const { file, ids } = [...parties.values()].sort((a, b) => b.length - a.length)[0]![0]!;
  return { name: file, ids };
}

/** Refuses files that say (as kaggle predict has them say) that they are of another data set than the labels or the rest. */
export function refuseOtherData(
  caller: string,
  files: readonly string[],
  labels: { source: string; fingerprint?: string } | undefined,
): void {
  const origins = files.flatMap((file) => {
    const origin = readOrigin(file);
    return origin ? [{ file, ...origin }] : [];
  });
  const [first] = origins;
  if (!first) return;
  const reference = labels?.fingerprint
    ? { name: labels.source, fingerprint: labels.fingerprint }
    : { name: `${first.data}, as ${first.file} is of,`, fingerprint: first.fingerprint };
  const strangers = origins.filter(({ fingerprint }) => fingerprint !== reference.fingerprint);
  if (strangers.length > 0)
    throw new CliError(
      `${caller}: expected predictions for ${reference.name} but ${strangers.map(({ file, data }) => `${file} is of another data set (${data})`).join("; ")}`,
    );
}

/** The first three. */
export function listIds(ids: readonly number[]): string {
  return ids.slice(0, 3).join(", ") + (ids.length > 3 ? ", …" : "");
}
