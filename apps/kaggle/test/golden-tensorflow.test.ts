import { beforeAll, describe, test } from "vitest";
import { chooseBackend } from "../src/machine/backend.ts";
import { checkGoldenSteps } from "./golden.ts";
import { checkSharedNormSteps } from "./golden-shared-norm.ts";
import { hasNative } from "./has-native.ts";

describe.skipIf(!hasNative())("golden training steps on tensorflow", () => {
  beforeAll(async () => {
    await chooseBackend("tensorflow");
  });
  for (const asGraph of [false, true]) {
    const how = asGraph ? "as graphs" : "operation by operation";
    test(`of best, ${how}`, () => checkGoldenSteps({ asGraph }));
    test(`of shared dense layers and norm constraints, ${how}`, () =>
      checkSharedNormSteps({ asGraph }));
  }
});
