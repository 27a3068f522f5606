// The corners of a letter F: what a network sees of it, and where each part lies in the picture.
import { extractParts, extractViews, partLayout, viewAffines } from "@gz/views";
import ndarray from "ndarray";

const picture = ndarray(new Uint8Array(48 * 48), [48, 48, 1]);
for (let y = 8; y < 40; y++)
  for (let x = 14; x < 34; x++)
    if (x < 20 || y < 14 || (y > 20 && y < 27 && x < 30)) picture.set(y, x, 0, 255);

const affines = viewAffines({ source: { width: 48, height: 48 }, size: 22, step: 2, angles: [0] });
const views = extractViews(picture, affines, { size: 22 });
const parts = extractParts(views, { partSize: 14 });

const layout = partLayout({ affines, size: 22 });
for (const mirror of [false, true]) {
  const shown = layout.map((part, p) => ({ ...part, p })).filter((part) => part.mirror === mirror);
  for (const { p, quarterTurns, affine } of shown) {
    const [, , x, , , y] = affine; // where the part's pixel (0, 0) lies
    console.log(
      `part ${p}: ${mirror ? "mirrored, " : ""}turned by ${quarterTurns * 90} degrees, starts at (${x}, ${y})`,
    );
  }
  for (let row = 0; row < 14; row++)
    console.log(
      shown
        .map(({ p }) =>
          Array.from({ length: 14 }, (_, x) => (parts.get(p, row, x, 0) > 0.5 ? "##" : " .")).join(
            "",
          ),
        )
        .join("   "),
    );
}
