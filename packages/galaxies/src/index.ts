export { type CheckOptions, checkDataset } from "./check.ts";
export {
  type Dataset,
  type DatasetDescription,
  type DatasetOptions,
  openDataset,
  type Split,
} from "./dataset.ts";
export { type DecodeOptions, decode, type Fit } from "./decode.ts";
export { cacheFolder } from "./files.ts";
export { imagesFingerprint } from "./fingerprint.ts";
export { type CentreOptions, centreDraw, chooseGalaxy } from "./photometry/centre.ts";
export type { Channel } from "./photometry/plane.ts";
export { type DetectOptions, detectSources, type Source } from "./photometry/sources.ts";
export {
  type BuiltPixelCache,
  buildPixelCache,
  findPixelCache,
  type PixelCacheOptions,
  type PixelCacheShape,
  pixelCacheSize,
} from "./pixel-cache.ts";
export {
  type OpenPixelCacheOptions,
  openPixelCache,
  type PixelCache,
  type PixelHeader,
} from "./pixel-file.ts";
export {
  openPredictions,
  type Predictions,
  type PredictionsOptions,
  type PredictionsWriter,
  readPredictions,
  writePredictions,
} from "./predictions.ts";
export { shrink } from "./shrink.ts";
export { checkSubmission } from "./submission.ts";
export { type SyntheticOptions, writeSynthetic } from "./synthetic/dataset.ts";
export type { GalaxyParameters } from "./synthetic/parameters.ts";
export { renderGalaxy } from "./synthetic/render.ts";
export { sampleGalaxy } from "./synthetic/sample.ts";
export { castVotes, galaxyVotes } from "./synthetic/votes.ts";
export type { Problem } from "./table.ts";
export {
  COLUMNS,
  columnsOf,
  KAGGLE_TREE,
  PROPER_TREE,
  type Question,
  type QuestionTree,
} from "./tree.ts";
