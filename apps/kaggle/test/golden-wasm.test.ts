import { beforeAll, describe, test } from "vitest";
import { chooseBackend } from "../src/machine/backend.ts";
import { checkGoldenSteps } from "./golden.ts";
import { checkSharedNormSteps } from "./golden-shared-norm.ts";

describe("golden training steps on wasm", () => {
  beforeAll(async () => {
    await chooseBackend("wasm");
  });
  test("of best", { timeout: 180_000 }, () => checkGoldenSteps());
  test("of shared dense layers and norm constraints", () => checkSharedNormSteps());
});
