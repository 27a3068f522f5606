import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createRng } from "@gz/augment";
import {
  buildPixelCache,
  COLUMNS,
  castVotes,
  checkDataset,
  decode,
  galaxyVotes,
  openDataset,
  openPixelCache,
  readPredictions,
  renderGalaxy,
  sampleGalaxy,
  shrink,
  writePredictions,
} from "@gz/galaxies";
import { ZipFile } from "yazl";
import { withGalaxies } from "../lib/galaxies.mjs";
import { alone } from "../lib/measure.mjs";

/** Kaggle's. */
const TRAIN = 61_578;
const TEST = 79_975;
/** Images that are decoded, written and read for a figure. */
const IMAGES = 200;

/** The figures of @gz/galaxies' README: a data set of the competition's size, images and synthetic galaxies. */
export default async function galaxies({ quick, note, row }) {
  const rounds = quick ? 3 : 5;
  const [train, test] = quick ? [TRAIN / 10, TEST / 10].map(Math.floor) : [TRAIN, TEST];
  note(`galaxies: ${train} training images in a zip, ${test} test images in a folder`);
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  try {
    await writeEmpty(folder, train, test);
    await wholeSet(folder, rounds, row);
  } finally {
    await rm(folder, { recursive: true });
  }
  await withGalaxies(IMAGES, async (dataset, images) => {
    await decoding(dataset, images, rounds, row);
  });
  let seed = 0;
  const render = () =>
    renderGalaxy(sampleGalaxy(createRng(1, seed)), { rng: createRng(2, seed++) });
  await alone({ "render a galaxy": render }, { rounds, times: 20 }, row);
}

/** Real labels and names, images of no bytes: opening a data set reads none. */
async function writeEmpty(folder, train, test) {
  const zip = new ZipFile();
  const lines = [["GalaxyID", ...COLUMNS].join(",")];
  const votes = galaxyVotes(sampleGalaxy(createRng(1)));
  for (let i = 0; i < train; i++) {
    zip.addBuffer(Buffer.alloc(0), `images_training_rev1/${2 * i + 2}.jpg`, { compress: false });
    lines.push([2 * i + 2, ...castVotes(createRng(2, i), votes)].join(","));
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(join(folder, "images_training_rev1.zip")));
  await writeFile(join(folder, "training_solutions_rev1.csv"), `${lines.join("\n")}\n`);
  await mkdir(join(folder, "images_test_rev1"));
  for (let i = 0; i < test; i++)
    await writeFile(join(folder, "images_test_rev1", `${2 * i + 1}.jpg`), "");
}

async function wholeSet(folder, rounds, row) {
  const open = async (source) => (await openDataset(source)).close();
  const { trainIds: ids, labels, ...dataset } = await openDataset(folder);
  const description = dataset.describe();
  await dataset.close();
  const file = join(folder, "predictions.csv");
  await alone(
    {
      "openDataset, the whole set": () => open(folder),
      "the same by its description": () => open(description),
      [`write ${ids.length} predictions`]: () => writePredictions(file, ids, labels),
      "read them": () => readPredictions(file),
    },
    { rounds, times: 1 },
    row,
  );
}

async function decoding(dataset, folder, rounds, row) {
  const jpeg = await dataset.read(dataset.trainIds[0], "train");
  const image = await decode(jpeg);
  const { file } = await buildPixelCache(dataset, "train", { shrink: 2, dir: folder });
  const cache = openPixelCache(file);
  await alone(
    {
      [`checkDataset with decode, ${IMAGES + 1} images`]: () =>
        checkDataset(folder, { decode: true }),
    },
    { rounds, times: 1 },
    row,
  );
  await alone({ "shrink by 2": () => shrink(image, 2) }, { rounds, times: 20 }, row);
  let index = 0;
  await alone(
    { "read 212 x 212 from a cache": () => cache.read(index++ % IMAGES) },
    { rounds, times: 5, calls: 1000, unit: "us" },
    row,
  );
  cache.close();
}
