import type { Member } from "./blend.ts";

/** A value as it reads in an error: JSON would print NaN and Infinity as null. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "object" || typeof value === "string"
    ? JSON.stringify(value)
    : String(value);
}

/** Throws unless `value` is an integer of at least `least`. */
export function checkInteger(where: string, name: string, value: unknown, least: number): void {
  const Kind = typeof value === "number" ? RangeError : TypeError;
  if (!Number.isInteger(value) || (value as number) < least)
    throw new Kind(
      `${where}: expected an integer of at least ${least} for ${name} but got ${show(value)}`,
    );
}

/** Throws unless `values` is an array of some kind. */
export function checkArray(where: string, name: string, values: unknown): void {
  const { length } = (values ?? {}) as Partial<ArrayLike<number>>;
  if (typeof values !== "object" || typeof length !== "number")
    throw new TypeError(
      `${where}: expected an array of numbers for ${name} but got ${show(values)}`,
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

/** Throws where errors are finite, but their squares or the sum of these are not. */
export function checkSquares(where: string, name: string, squares: number): void {
  if (!Number.isFinite(squares))
    throw new RangeError(
      `${where}: expected errors whose squares have a finite sum for member "${name}" but got ${squares}`,
    );
}

/** Throws unless there is a member, and every one has a name of its own. */
export function checkNames(where: string, members: readonly Member[]): void {
  if (!Array.isArray(members) || members.length === 0) {
    const Kind = Array.isArray(members) ? RangeError : TypeError;
    throw new Kind(`${where}: expected at least one member for members but got ${show(members)}`);
  }
  const names = new Set<unknown>();
  for (const member of members as (Partial<Member> | null | undefined)[]) {
    const name = member?.name;
    const Kind = typeof name === "string" ? RangeError : TypeError;
    if (typeof name !== "string" || name === "" || names.has(name))
      throw new Kind(`${where}: expected a name of its own for every member but got ${show(name)}`);
    names.add(name);
  }
}

/** The same, and unless each has `length` values, all finite. */
export function checkMembers(where: string, members: readonly Member[], length: number): void {
  checkNames(where, members);
  for (const { name, values } of members) {
    checkArray(where, `member "${name}"`, values);
    if (values.length !== length)
      throw new RangeError(
        `${where}: expected ${length} values for member "${name}" but got ${values.length}`,
      );
    checkFinite(where, `member "${name}"`, values);
  }
}
