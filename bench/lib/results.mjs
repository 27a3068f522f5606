import { markdown } from "./table.mjs";

const HEAD = `# Bench

Written by \`npm run bench -- --save\`: medians and quartiles of blocks that alternate between ours and the peer's. A case
that is measured anew replaces its own section alone.
`;

/**
 * RESULTS.md with a section for each case, in the order of `names`: those of `results` ({ rows, notes } by case, measured
 * at `when`) are new, the others are kept from the `old` text.
 */
export function mergeResults(old, results, when, names) {
  const sections = new Map(
    old
      .split(/^## /m)
      .slice(1)
      .map((text) => [
        text.slice(0, text.indexOf("\n")),
        text.slice(text.indexOf("\n") + 1).trim(),
      ]),
  );
  for (const [name, { rows, notes }] of Object.entries(results))
    sections.set(
      name,
      [`${when}.`, "", markdown(rows), "", ...notes.map((note) => `- ${note}`)].join("\n").trim(),
    );
  const kept = names.filter((name) => sections.has(name));
  return [HEAD, ...kept.map((name) => `## ${name}\n\n${sections.get(name)}\n`)].join("\n");
}
