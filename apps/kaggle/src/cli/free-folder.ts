import { existsSync, readdirSync, statSync } from "node:fs";
import { CliError } from "./errors.ts";

/** Refuses an --out that holds anything, so that nothing is overwritten or mixed. */
export function checkFree(command: string, out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory())
    throw new CliError(`${command}: expected a folder for --out but ${out} is a file`);
  const [first] = readdirSync(out);
  if (first !== undefined)
    throw new CliError(
      `${command}: expected a new or an empty folder for --out but ${out} holds ${first}; give another --out`,
    );
}
