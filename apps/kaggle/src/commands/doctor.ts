import { defineCommand } from "citty";
import { refuseUnknown } from "../args.ts";
import { doctorReport } from "../doctor.ts";

const args = {} as const;

export const doctor = defineCommand({
  meta: {
    name: "doctor",
    description: "What works on this machine, how fast, and how to get the rest.",
  },
  args,
  async run({ args: given }) {
    refuseUnknown("doctor", given, args);
    for await (const line of doctorReport()) console.log(line);
  },
});
