import * as v from "valibot";
import { CliError } from "./errors.ts";

/** A JSON value as the schema has it; a CliError of the caller's names the key at fault, and the file. */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  { caller, what, file }: { caller: string; what: string; file: string },
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const key = v.getDotPath(issue) ?? what;
  if (issue.expected === "never") throw new CliError(`${caller}: unknown key ${key} in ${file}`);
  // JSON has no undefined: what is, is not there.
  if (issue.received === "undefined")
    throw new CliError(`${caller}: expected ${key} in ${file} but it is missing`);
  throw new CliError(
    `${caller}: expected ${issue.expected ?? issue.requirement} for ${key} in ${file} but got ${issue.received}`,
  );
}
