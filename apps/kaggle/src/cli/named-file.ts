/** JSON files that ship with the app in a folder, each by its name, and a user's own by its path. */
import { existsSync, readdirSync } from "node:fs";
import type * as v from "valibot";
import { checked } from "./checked.ts";
import { CliError } from "./errors.ts";
import { readJson } from "./json.ts";

export interface NamedFiles {
  /** Who reads, in errors. */
  caller: string;
  /** What a file holds, in errors. */
  what: string;
  /** The option that names it, in errors; left out where it is no option. */
  option?: string;
  /** Where the shipped ones lie, a slash at its end. */
  folder: string;
}

/** Names of the files that ship with the app. */
export function shippedNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -5))
    .sort();
}

/** The file of that name, or at that path, and its checked value; throws a CliError that names what is wrong. */
export function readNamed<Schema extends v.GenericSchema>(
  schema: Schema,
  nameOrFile: string,
  { caller, what, option, folder }: NamedFiles,
): { file: string; value: v.InferOutput<Schema> } {
  const named = `${folder}${nameOrFile}.json`;
  const file = /^[\w-]+$/.test(nameOrFile) && existsSync(named) ? named : nameOrFile;
  if (!existsSync(file))
    throw new CliError(
      `${caller}: expected one of ${shippedNames(folder).join(", ")} or a JSON file${option ? ` for ${option}` : ""} but got ${nameOrFile}`,
    );
  return { file, value: checked(schema, readJson(caller, file), { caller, what, file }) };
}
