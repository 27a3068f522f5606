import { resolve } from "node:path";
import { defineCommand } from "citty";
import { backendArg, positiveArg, refuseUnknown } from "../cli/args.ts";
import { onInterrupt } from "../cli/interrupt.ts";
import { formatSeconds, say } from "../cli/progress.ts";
import { freshFolder, runDemo } from "../demo.ts";

const args = {
  data: {
    type: "string",
    description: "A data set (default: $GALAXY_ZOO_DIR, else galaxies are rendered)",
    valueHint: "DIR",
  },
  out: {
    type: "string",
    description:
      "Folder of everything it makes, new or empty (default: runs/demo, or the next free)",
    valueHint: "DIR",
  },
  minutes: {
    type: "string",
    description: "Training minutes in all",
    default: "2",
    valueHint: "M",
  },
  backend: backendArg,
} as const;

export const demo = defineCommand({
  meta: {
    name: "demo",
    description: "All of it in minutes: galaxies, three members, a blend, a submission, a report.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("demo", given, args);
    const interrupt = onInterrupt(say);
    const started = performance.now();
    try {
      const result = await runDemo({
        data: given.data ?? process.env.GALAXY_ZOO_DIR,
        out: given.out ?? freshFolder("runs/demo"),
        minutes: positiveArg("demo", "minutes", given.minutes) ?? 2,
        backend: given.backend,
        signal: interrupt.signal,
      });
      if (!result) return 130;
      say(`done in ${formatSeconds((performance.now() - started) / 1000)}`);
      console.log(`submission  ${resolve(result.submission)}`);
      console.log(`report      ${resolve(result.report)}`);
      return 0;
    } finally {
      interrupt.release();
    }
  },
});
