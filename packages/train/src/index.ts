export { type AdamWOptions, adamw } from "./adamw.ts";
export {
  type BackgroundLoader,
  type BackgroundLoaderOptions,
  backgroundLoader,
  type LoadedBatch,
} from "./background-loader.ts";
export { clipGradients } from "./clip-gradients.ts";
export { type Compiled, compile, type Work } from "./compile.ts";
export {
  bestCheckpoint,
  type Checkpoint,
  latestCheckpoint,
  loadCheckpoint,
  restoreCheckpoint,
  type TrainingState,
} from "./load-checkpoint.ts";
export { type Metrics, openMetrics } from "./metrics.ts";
export { namedWeights } from "./named-weights.ts";
export { nesterov } from "./nesterov.ts";
export { NonFiniteLossError } from "./non-finite-loss-error.ts";
export type { Optimizer } from "./optimizer.ts";
export type { Phase } from "./phases.ts";
export {
  type FileDigest,
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from "./safetensors.ts";
export { type SaveOptions, saveCheckpoint } from "./save-checkpoint.ts";
export { cosineSchedule, type Progress, type Schedule, stepSchedule } from "./schedules.ts";
export type { SavedState, State, TensorData } from "./state.ts";
export {
  type ArrayData,
  type Batch,
  type TrainedStep,
  type TrainLoopOptions,
  trainLoop,
} from "./train-loop.ts";
export { type Stage, type Tensors, type TrainStepOptions, trainStep } from "./train-step.ts";
export { type WeightAverage, type WeightAverageOptions, weightAverage } from "./weight-average.ts";
