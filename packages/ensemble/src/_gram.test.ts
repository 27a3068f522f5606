import { createRng } from "@gz/augment";
import fc from "fast-check";
import { expect, test } from "vitest";
import { errorGrams, foldOfRows } from "./_gram.ts";

test("products summed side by side are those summed one after the other, to the last bit", () => {
  const columnGroups = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 9 });
  const arbitrary = fc.record({
    size: fc.integer({ min: 1, max: 11 }),
    rows: fc.integer({ min: 2, max: 12 }),
    groupOf: columnGroups,
    seed: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ size, rows, groupOf, seed }) => {
      const rng = createRng(seed);
      const draw = () =>
        Float32Array.from({ length: rows * groupOf.length }, () => rng.uniform(0, 1));
      const [labels, members] = [draw(), Array.from({ length: size }, draw)];
      const fold = foldOfRows(rows, 2, seed);
      const { grams, counts } = errorGrams(members, labels, groupOf, fold);
      const error = (i: number, at: number) => members[i]![at]! - labels[at]!;
      grams.forEach((groups, f) => {
        const own = [...fold.keys()].filter((row) => fold[row] === f);
        expect(counts[f]).toBe(own.length * groupOf.length);
        groups.forEach((gram, g) => {
          const expected = new Float64Array(size * size);
          for (const row of own)
            groupOf.forEach((group, column) => {
              const at = row * groupOf.length + column;
              if (group === g)
                for (let i = 0; i < size; i++)
                  for (let j = 0; j < size; j++)
                    expected[i * size + j]! += error(i, at) * error(j, at);
            });
          expect(gram).toEqual(expected);
        });
      });
    }),
  );
});
