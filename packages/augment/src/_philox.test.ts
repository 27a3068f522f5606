import { expect, test } from "vitest";
import { philox } from "./_philox.ts";

// Random123's tests/kat_vectors (D. E. Shaw Research), its three "philox4x32 10" lines: counter, key, block.
test.each([
  [
    "00000000 00000000 00000000 00000000",
    "00000000 00000000",
    "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
  ],
  [
    "ffffffff ffffffff ffffffff ffffffff",
    "ffffffff ffffffff",
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  ],
  [
    "243f6a88 85a308d3 13198a2e 03707344",
    "a4093822 299f31d0",
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  ],
])("counter %s under key %s", (counter, key, block) => {
  const [k0, k1] = words(key);
  const out = new Uint32Array(4);
  philox(words(counter), k0!, k1!, out);
  expect(out).toEqual(words(block));
});

function words(hex: string): Uint32Array {
  return Uint32Array.from(hex.split(" "), (word) => Number.parseInt(word, 16));
}
