// Do two programs see the same galaxies? Each is { id, ours, sextractor, again, sep }: what a program chose as the image's
// galaxy, undefined where it found none; without the programs that are not installed.
import { summary } from "./measure.mjs";

const percent = (value, reference) => 100 * Math.abs(value / reference - 1);

/** What is compared, up to which difference it counts as the same, and the share in percent that is promised. */
const MEASURES = [
  {
    name: "centre",
    difference: (p, q) => Math.hypot(p.x - q.x, p.y - q.y),
    within: 0.5,
    unit: "px",
    least: 95,
  },
  {
    name: "Petrosian radius",
    difference: (p, q) => percent(p.petrosian * p.a, q.petrosian * q.a),
    within: 3,
    unit: "%",
    least: 95,
  },
  {
    name: "Kron radius",
    difference: (p, q) => percent(p.kron * p.a, q.kron * q.a),
    within: 3,
    unit: "%",
  },
  {
    name: "semi-axes",
    difference: (p, q) => Math.max(percent(p.a, q.a), percent(p.b, q.b)),
    within: 1,
    unit: "%",
  },
];
/** sep has no Petrosian radius, and its Kron radius does not know whose a pixel is. */
const OF_SEP = MEASURES.filter(({ name }) => name === "centre" || name === "semi-axes");
/** Galaxies that a note names. */
const NAMED = 10;

/**
 * Rows of the table: the share of galaxies that we see as SExtractor does, beside the share that it sees so itself when
 * its dice fall otherwise; and the share that we see as sep does, beside SExtractor's.
 */
export function agreementRows(threshold, galaxies) {
  const [any] = galaxies;
  const row = (measure, other, peer, beside, suffix = "") => ({
    what: `${threshold} sigma: ${measure.name}, ${measure.within} ${measure.unit}${suffix}`,
    unit: "%",
    ours: share(galaxies, "ours", other, measure),
    beside,
    theirs: peer in any ? share(galaxies, peer, other, measure) : undefined,
    least: suffix ? undefined : measure.least,
  });
  const rows = [];
  if ("sextractor" in any)
    for (const measure of MEASURES)
      rows.push(row(measure, "sextractor", "again", "SExtractor, run again"));
  if ("sep" in any)
    for (const measure of OF_SEP)
      rows.push(row(measure, "sep", "sextractor", "SExtractor", ", sep"));
  return rows;
}

/** For each measure the median difference, how many galaxies lie beyond the limit, and the ids of the worst. */
export function agreementNotes(threshold, galaxies) {
  if (!("sextractor" in galaxies[0])) return [];
  return MEASURES.map(({ name, difference, within, unit }) => {
    const differences = galaxies
      .map((galaxy) => ({
        id: galaxy.id,
        value: between(galaxy, "ours", "sextractor", difference),
      }))
      .sort((a, b) => b.value - a.value);
    const { median } = summary(differences.map(({ value }) => value));
    const beyond = differences.filter(({ value }) => !(value <= within));
    const worst = differences
      .slice(0, NAMED)
      .map(({ id, value }) => `${id} (${value.toPrecision(2)})`);
    return (
      `${threshold} sigma, ${name}: off SExtractor's by ${median.toPrecision(2)} ${unit} (median), ` +
      `${beyond.length} of ${galaxies.length} by more than ${within}; worst: ${worst.join(", ")}`
    );
  });
}

function share(galaxies, name, other, { difference, within }) {
  const same = galaxies.filter((galaxy) => between(galaxy, name, other, difference) <= within);
  return summary([(100 * same.length) / galaxies.length]);
}

/** None when neither program found a galaxy, infinite when one alone did. */
function between(galaxy, name, other, difference) {
  const [mine, theirs] = [galaxy[name], galaxy[other]];
  if (mine && theirs) return difference(mine, theirs);
  return mine || theirs ? Number.POSITIVE_INFINITY : 0;
}
