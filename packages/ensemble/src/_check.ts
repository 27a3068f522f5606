import type { Member } from "./blend.ts";

/** Throws unless `value` is an integer of at least `least`. */
export function checkInteger(where: string, name: string, value: unknown, least: number): void {
  if (!Number.isInteger(value) || (value as number) < least)
    throw new RangeError(
      `${where}: expected an integer of at least ${least} for ${name} but got ${value}`,
    );
}

/** Throws at the first value that is NaN or infinite. */
export function checkFinite(where: string, name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new RangeError(
        `${where}: expected finite numbers for ${name} but got ${values[i]} at index ${i}`,
      );
}

/** Throws unless there is a member, names differ, and every length is `length`, all finite. */
export function checkMembers(where: string, members: readonly Member[], length: number): void {
  if (!Array.isArray(members) || members.length === 0)
    throw new TypeError(
      `${where}: expected at least one member for members but got ${Array.isArray(members) ? "none" : members}`,
    );
  const names = new Set<string>();
  for (const { name, values } of members) {
    if (typeof name !== "string" || name === "" || names.has(name))
      throw new TypeError(
        `${where}: expected a name of its own for every member but got ${JSON.stringify(name)}`,
      );
    names.add(name);
    if (values.length !== length)
      throw new RangeError(
        `${where}: expected ${length} values for member "${name}" but got ${values.length}`,
      );
    checkFinite(where, `member "${name}"`, values);
  }
}
