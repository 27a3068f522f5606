/** Threads of either side. */
export const THREADS = 2;

/** Milliseconds of quiet after a block: both sides' idle threads spin for a while before they sleep. */
const QUIET = 300;

/**
 * Measures several sides of the same work in turn, block by block, so that whatever else the machine does falls on all
 * of them. A side is `async (times) => number[]`: does its work that often and returns the milliseconds of each.
 * Returns for each side the blocks' medians, after one block that is thrown away.
 */
export async function interleave(sides, { rounds, times }) {
  const names = Object.keys(sides).filter((name) => sides[name]);
  const blocks = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    // The order turns round: neither side always runs on the machine that the other has just heated.
    const order = round % 2 ? names : names.toReversed();
    for (const name of order) {
      const ms = await sides[name](times);
      await new Promise((resolve) => setTimeout(resolve, QUIET));
      if (round >= 0) blocks[name].push(median(ms));
    }
  }
  return blocks;
}

/** Times `work` in this process, for `interleave`. */
export function timed(work) {
  return async (times) => {
    const ms = [];
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      await work();
      ms.push(performance.now() - start);
    }
    return ms;
  };
}

/** One line of the table from two sides' blocks (`theirs` may be undefined). `scale` turns ms into the unit. */
export function compare(what, ours, beside, theirs, { unit = "ms", scale = 1, target, most } = {}) {
  const scaled = (blocks) => summary(blocks.map((ms) => ms * scale));
  const row = { what, unit, ours: scaled(ours), beside, target, most };
  if (!theirs) return row;
  const ratios = ours.map((ms, i) => ms / theirs[i]);
  return { ...row, theirs: scaled(theirs), ratio: summary(ratios) };
}

/**
 * Rows of works that stand beside nothing, measured in turns. Each is called `calls` times for one figure: what takes
 * less than a clock can tell is given in microseconds, of many calls.
 */
export async function alone(works, { rounds, times, calls = 1, unit = "ms" }, row) {
  const sides = Object.entries(works).map(([what, work]) => [
    what,
    timed(() => repeat(work, calls)),
  ]);
  const blocks = await interleave(Object.fromEntries(sides), { rounds, times });
  const scale = (unit === "us" ? 1000 : 1) / calls;
  for (const [what, ms] of Object.entries(blocks))
    row(compare(what, ms, "", undefined, { unit, scale }));
}

async function repeat(work, calls) {
  if (calls === 1) return work();
  for (let i = 0; i < calls; i++) work();
}

/** Median and the range from the first to the third quartile. */
export function summary(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

const median = (values) => quantile(values, 0.5);

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}
