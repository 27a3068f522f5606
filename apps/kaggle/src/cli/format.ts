/** Numbers as people read them. */

/** 0.0931: four digits tell members apart and no more are meant. */
export function formatRmse(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(4);
}

/** A vote fraction as .07 to 1.0, short enough for a drawing. */
export function formatVote(value: number): string {
  const text = value.toFixed(2);
  return text.startsWith("0") ? text.slice(1) : value.toFixed(1);
}

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function formatPercent(share: number, digits = 0): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : "–";
}

/** A difference with its sign: −4.3. */
export function formatChange(value: number, digits: number): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : "±"}${Math.abs(value).toFixed(digits)}`;
}

/** "1 network", "3 networks". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function formatMs(value: number): string {
  return `${value < 10 ? value.toFixed(1) : formatCount(value)} ms`;
}
