import { test } from "vitest";
import { chooseBackend } from "../src/backend.ts";
import { checkGoldenSteps } from "./golden.ts";
import { hasNative } from "./has-native.ts";

test.skipIf(!hasNative())("best makes the golden training steps on tensorflow", async () => {
  await chooseBackend("tensorflow");
  await checkGoldenSteps();
});
