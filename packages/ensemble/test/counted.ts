import type { Member } from "../src/blend.ts";

/** Members that count how often one of their numbers is read. */
export function counted(members: readonly Member[]): { members: Member[]; reads(): number } {
  let reads = 0;
  const watched = members.map(({ name, values }) => ({
    name,
    values: new Proxy(values, {
      get(target, key) {
        if (typeof key === "string" && /^\d+$/.test(key)) reads++;
        return Reflect.get(target, key);
      },
    }),
  }));
  return { members: watched, reads: () => reads };
}
