import { readFileSync } from "node:fs";
import { CliError } from "./errors.ts";

/** A JSON file's value, unchecked; a CliError of the caller's names the file if it is not JSON. */
export function readJson(caller: string, file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new CliError(`${caller}: ${file} is not JSON: ${(error as Error).message}`);
  }
}
