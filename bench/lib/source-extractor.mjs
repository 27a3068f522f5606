// SExtractor itself (Debian's package source-extractor): what it finds in images, through FITS files.
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const COMMANDS = ["source-extractor", "sextractor", "sex"];
const COLUMNS = {
  x: "X_IMAGE",
  y: "Y_IMAGE",
  a: "A_IMAGE",
  b: "B_IMAGE",
  theta: "THETA_IMAGE",
  kron: "KRON_RADIUS",
  petrosian: "PETRO_RADIUS",
  flux: "FLUX_ISO",
  area: "ISOAREAF_IMAGE",
};
const CARD = 80;
const BLOCK = 2880;

/** Its name on this machine and its version; undefined where it is not installed. */
export function findSourceExtractor() {
  for (const command of COMMANDS) {
    const { stdout, status } = spawnSync(command, ["--version"], { encoding: "utf8" });
    if (status === 0) return { command, version: /[\d.]+/.exec(stdout)[0] };
  }
  return undefined;
}

/** Writes images, [height, width] each, as the extensions of one FITS file: float32 on the 0..1 scale. */
export function writeFits(file, images) {
  const parts = [header({ SIMPLE: "T", BITPIX: 8, NAXIS: 0, EXTEND: "T" })];
  for (const image of images) {
    const [height, width] = image.shape;
    parts.push(
      header({
        XTENSION: "'IMAGE   '",
        BITPIX: -32,
        NAXIS: 2,
        NAXIS1: width,
        NAXIS2: height,
        PCOUNT: 0,
        GCOUNT: 1,
      }),
    );
    const values = new Float32Array((Math.ceil((4 * height * width) / BLOCK) * BLOCK) / 4);
    const unit = image.data instanceof Float32Array ? 1 : 255;
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) values[i] = image.get(y, x) / unit;
    parts.push(Buffer.from(values.buffer).swap32()); // FITS is big-endian
  }
  writeFileSync(file, Buffer.concat(parts));
}

/**
 * Runs it on a file of `writeFits`, with its default settings but the threshold; its work files go to a folder within
 * `folder`. Returns the lists of sources of the images, pixel centres at integers (it counts from 1), and the milliseconds.
 */
export async function runSourceExtractor({ command }, { folder, file, count, threshold }) {
  const cwd = mkdtempSync(join(folder, "sextractor-"));
  const columns = ["EXT_NUMBER", ...Object.values(COLUMNS)];
  writeFileSync(join(cwd, "columns.param"), `${columns.join("\n")}\n`);
  writeFileSync(join(cwd, "filter.conv"), "CONV NORM\n1 2 1\n2 4 2\n1 2 1\n");
  writeFileSync(join(cwd, "empty.sex"), "");
  const options = {
    CATALOG_NAME: "catalog.txt",
    CATALOG_TYPE: "ASCII",
    PARAMETERS_NAME: "columns.param",
    FILTER_NAME: "filter.conv",
    DETECT_THRESH: threshold,
    ANALYSIS_THRESH: threshold,
    VERBOSE_TYPE: "QUIET",
  };
  const args = Object.entries(options).flatMap(([key, value]) => [`-${key}`, String(value)]);
  const started = performance.now();
  await promisify(execFile)(command, [file, "-c", "empty.sex", ...args], { cwd });
  const ms = performance.now() - started;
  const lists = Array.from({ length: count }, () => []);
  for (const line of readFileSync(join(cwd, "catalog.txt"), "utf8").trim().split("\n")) {
    if (line === "") continue;
    const [extension, ...values] = line.trim().split(/\s+/).map(Number);
    const source = Object.fromEntries(Object.keys(COLUMNS).map((name, i) => [name, values[i]]));
    lists[extension - 1].push({ ...source, x: source.x - 1, y: source.y - 1 });
  }
  rmSync(cwd, { recursive: true });
  return { lists, ms };
}

function header(cards) {
  const lines = Object.entries(cards).map(
    ([key, value]) => `${key.padEnd(8)}= ${String(value).padStart(20)}`,
  );
  const text = [...lines, "END"].map((line) => line.padEnd(CARD)).join("");
  return Buffer.from(text.padEnd(Math.ceil(text.length / BLOCK) * BLOCK));
}
