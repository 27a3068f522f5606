const COLUMNS = ["what", "ours", "beside", "", "ratio", "target"];

const number = (value, unit) => {
  if (unit === "") return String(value);
  if (unit === "RMSE") return value.toFixed(4);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
};

/** "412 ms (405-420)": the median and the quartiles. */
function figure({ median, low, high } = {}, unit) {
  if (median === undefined) return "-";
  const spread = low === high ? "" : ` (${number(low, unit)}-${number(high, unit)})`;
  return `${number(median, unit)}${unit && ` ${unit}`}${spread}`;
}

function cells({ what, ours, beside, theirs, ratio, unit, target, least, most }) {
  const times = ratio ? `${figure(ratio, "x")}` : "-";
  const goal = target === undefined ? "" : `at most ${target} x`;
  // As it is printed: 1.104 is 1.10.
  const reached = (value, most, unit) => (Number(number(value, unit)) <= most ? "met" : "missed");
  const verdict = target === undefined || !ratio ? "" : `, ${reached(ratio.median, target, "x")}`;
  const share =
    least === undefined
      ? ""
      : `at least ${least} ${unit}, ${ours.median >= least ? "met" : "missed"}`;
  const limit =
    most === undefined
      ? ""
      : `at most ${Number(number(most, unit))} ${unit}, ${reached(ours.median, most, unit)}`;
  const aims = goal + verdict + share + limit;
  return [what, figure(ours, unit), beside, figure(theirs, unit), times, aims];
}

const WIDTHS = [38, 24, 24, 24, 18, 0];
const line = (texts) =>
  texts
    .map((text, i) => text.padEnd(WIDTHS[i]))
    .join("  ")
    .trimEnd();

export const textHeader = () => line(COLUMNS);
export const textRow = (row) => line(cells(row));

export function markdown(rows) {
  const row = (texts) => `| ${texts.join(" | ")} |`;
  return [row(COLUMNS), row(COLUMNS.map(() => "---")), ...rows.map((r) => row(cells(r)))].join(
    "\n",
  );
}
