import { test } from "vitest";
import { chooseBackend } from "../src/backend.ts";
import { checkGoldenSteps } from "./golden.ts";

test("best makes the golden training steps on wasm", { timeout: 180_000 }, async () => {
  await chooseBackend("wasm");
  await checkGoldenSteps();
});
