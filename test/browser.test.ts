import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compute } from "./browser-page.ts";
import { bundle, launchChromium, withoutChromium } from "./chromium.ts";

test.skipIf(withoutChromium)(
  "augment, views and ensemble give a browser the numbers they give Node, bit for bit",
  async () => {
    const entry = fileURLToPath(new URL("browser-page.ts", import.meta.url));
    const script = await bundle(entry, ["@gz/source"]);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: script });
      expect(await page.evaluate("gz.compute()")).toEqual(compute());
    } finally {
      await browser.close();
    }
  },
);
