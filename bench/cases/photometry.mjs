import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseGalaxy, decode, detectSources } from "@gz/galaxies";
import { createProgress } from "../../apps/kaggle/dist/cli/progress.js";
import { agreementNotes, agreementRows } from "../lib/agreement.mjs";
import { withRealGalaxies } from "../lib/galaxies.mjs";
import { compare, interleave, timed } from "../lib/measure.mjs";
import { startPeer } from "../lib/peer.mjs";
import { findSourceExtractor, runSourceExtractor, writeFits } from "../lib/source-extractor.mjs";
import { versions } from "./best.mjs";

const SIZE = { width: 424, height: 424 };
/** Of detection, in standard deviations of the background: the winner's two. */
const THRESHOLDS = [2, 10];
/** Images in one file. */
const CHUNK = 40;
/** Images with --quick, and how many are made where there are no real ones. */
const FEW = 200;

/** Photometry of all real galaxies beside SExtractor and sep: how fast, and do they see the same? */
export default async function photometry({ quick, note, row }) {
  const folder = await mkdtemp(join(tmpdir(), "gz-bench-"));
  const programs = await openPrograms(folder, note);
  try {
    await withRealGalaxies(FEW, async (dataset) => {
      const ids = quick ? dataset.trainIds.slice(0, FEW) : dataset.trainIds;
      programs.show(await greenChannels(dataset, ids.slice(0, CHUNK)));
      for (const threshold of THRESHOLDS)
        for (const line of await timePrograms(programs, threshold, quick)) row(line);
      const galaxies = await findGalaxies(programs, dataset, ids);
      for (const threshold of THRESHOLDS)
        for (const line of agreementRows(threshold, galaxies[threshold])) row(line);
      note(`photometry: ${ids.length} galaxies of ${dataset.name}`);
      for (const threshold of THRESHOLDS)
        for (const line of agreementNotes(threshold, galaxies[threshold])) note(line);
    });
  } finally {
    await programs.close();
    await rm(folder, { recursive: true });
  }
}

/**
 * Ours and the others, each a function from a threshold to the sources of every image that was shown last; undefined where
 * one is not installed. SExtractor throws dice for the faint pixels between two sources, anew for every image of a file:
 * `again` shows it the images in the opposite order. Where it then disagrees with itself nobody can agree with it.
 */
async function openPrograms(folder, note) {
  const [file, reversed] = [join(folder, "images.fits"), join(folder, "reversed.fits")];
  const peer = await startPeer("photometry", { file, ...SIZE, thresholds: THRESHOLDS });
  if (peer) note(versions(peer));
  const program = findSourceExtractor();
  note(program ? `SExtractor ${program.version}` : "no SExtractor; to get it: npm run bench:setup");
  let images = [];
  const runOn = (file, threshold) =>
    runSourceExtractor(program, { folder, file, count: images.length, threshold });
  const others = program && {
    sextractor: async (threshold) => (await runOn(file, threshold)).lists,
    again: async (threshold) => (await runOn(reversed, threshold)).lists.toReversed(),
  };
  return {
    show(next) {
      images = next;
      writeFits(file, images);
      writeFits(reversed, images.toReversed());
    },
    detect: {
      ours: (threshold) => images.map((image) => detectSources(image, { threshold })),
      ...others,
      ...(peer && { sep: (threshold) => peer.value(`detect ${threshold}`) }),
    },
    sides: (threshold) => ({
      ours: timed(() => images.map((image) => detectSources(image, { threshold }))),
      sextractor: program && (async () => [(await runOn(file, threshold)).ms]),
      sep: peer?.side(`detect ${threshold}`),
    }),
    close: async () => peer?.stop(),
  };
}

/** Milliseconds an image, from its pixels (the others': in a FITS file) to the list of its sources; one thread each. */
async function timePrograms(programs, threshold, quick) {
  const sides = programs.sides(threshold);
  const blocks = await interleave(sides, { rounds: quick ? 3 : 9, times: 1 });
  const perImage = { scale: 1 / CHUNK };
  const what = `sources above ${threshold} sigma`;
  return [
    compare(what, blocks.ours, "SExtractor", blocks.sextractor, { ...perImage, target: 1 }),
    compare(what, blocks.ours, "sep", blocks.sep, perImage),
  ];
}

/** For each threshold and image what each program takes for the galaxy that the image is about. */
async function findGalaxies({ show, detect }, dataset, ids) {
  const galaxies = Object.fromEntries(THRESHOLDS.map((threshold) => [threshold, []]));
  const progress = createProgress("compare", ids.length);
  for (let from = 0; from < ids.length; from += CHUNK) {
    const some = ids.slice(from, from + CHUNK);
    show(await greenChannels(dataset, some));
    for (const threshold of THRESHOLDS) {
      // Ours last: the others are processes of their own and work meanwhile.
      const names = Object.keys(detect).toReversed();
      const lists = await Promise.all(names.map((name) => detect[name](threshold)));
      some.forEach((id, i) => {
        const chosen = names.map((name, k) => [name, chooseGalaxy(lists[k][i], SIZE)]);
        galaxies[threshold].push({ id, ...Object.fromEntries(chosen) });
      });
    }
    progress.update(from + some.length);
  }
  progress.stop();
  return galaxies;
}

function greenChannels(dataset, ids) {
  return Promise.all(
    ids.map(async (id) => {
      const image = await decode(await dataset.read(id, "train"), {
        name: dataset.where(id, "train"),
      });
      return image.pick(null, null, 1);
    }),
  );
}
