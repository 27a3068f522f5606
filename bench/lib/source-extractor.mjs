// SExtractor itself (Debian's package source-extractor): what it finds in images, through FITS files.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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
    const bytes = Buffer.alloc(Math.ceil((4 * height * width) / BLOCK) * BLOCK);
    const unit = image.data instanceof Float32Array ? 1 : 255;
    for (let y = 0, at = 0; y < height; y++)
      for (let x = 0; x < width; x++, at += 4)
        bytes.writeFloatBE(Math.fround(image.get(y, x) / unit), at);
    parts.push(bytes);
  }
  writeFileSync(file, Buffer.concat(parts));
}

/**
 * Runs it on a file of `writeFits`, with its default settings but the threshold; all its work files go to `folder`.
 * Returns the lists of sources of the images, pixel centres at integers (it counts from 1), and the milliseconds.
 */
export function runSourceExtractor({ command }, { folder, file, count, threshold, settings = {} }) {
  const columns = ["EXT_NUMBER", ...Object.values(COLUMNS)];
  const parameters = join(folder, "columns.param");
  const filter = join(folder, "filter.conv");
  const catalog = join(folder, "catalog.txt");
  const config = join(folder, "empty.sex");
  writeFileSync(parameters, `${columns.join("\n")}\n`);
  writeFileSync(filter, "CONV NORM\n1 2 1\n2 4 2\n1 2 1\n");
  writeFileSync(config, "");
  const options = {
    CATALOG_NAME: catalog,
    CATALOG_TYPE: "ASCII",
    PARAMETERS_NAME: parameters,
    FILTER_NAME: filter,
    DETECT_THRESH: threshold,
    ANALYSIS_THRESH: threshold,
    VERBOSE_TYPE: "QUIET",
    ...settings,
  };
  const args = Object.entries(options).flatMap(([key, value]) => [`-${key}`, String(value)]);
  const started = performance.now();
  const { status, stderr, error } = spawnSync(command, [file, "-c", config, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
  const lists = Array.from({ length: count }, () => []);
  for (const line of readFileSync(catalog, "utf8").trim().split("\n")) {
    if (line === "") continue;
    const [extension, ...values] = line.trim().split(/\s+/).map(Number);
    const source = Object.fromEntries(Object.keys(COLUMNS).map((name, i) => [name, values[i]]));
    lists[extension - 1].push({ ...source, x: source.x - 1, y: source.y - 1 });
  }
  return { lists, ms };
}

function header(cards) {
  const lines = Object.entries(cards).map(
    ([key, value]) => `${key.padEnd(8)}= ${String(value).padStart(20)}`,
  );
  const text = [...lines, "END"].map((line) => line.padEnd(CARD)).join("");
  return Buffer.from(text.padEnd(Math.ceil(text.length / BLOCK) * BLOCK));
}
