import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { lookEvery } from "./look-every.ts";

test("a look that fails is followed by the next, never two at once, none after the end", async () => {
  let looks = 0;
  let atOnce = 0;
  let most = 0;
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    const watch = lookEvery(1, async () => {
      looks++;
      most = Math.max(most, ++atOnce);
      await setTimeout(5);
      atOnce--;
      if (looks % 2 === 1) throw new Error("the file is gone");
    });
    while (looks < 4) await setTimeout(1);
    await watch.stop();
    expect(atOnce).toBe(0);
    const before = looks;
    await setTimeout(20);
    expect(looks).toBe(before);
    expect(most).toBe(1);
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", note);
  }
});
