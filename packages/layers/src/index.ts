export type { Question, QuestionTree } from "./_tree.ts";
export { type BatchNormOptions, batchNorm } from "./batch-norm.ts";
export { type DropoutOptions, dropout, setDropoutStep } from "./dropout.ts";
export { type LocalContrastOptions, localContrast } from "./local-contrast.ts";
export { type MaxoutOptions, maxout } from "./maxout.ts";
export {
  applyConstraints,
  type Constraint,
  l2Norm,
  type NormConstraintOptions,
  rmsNorm,
} from "./norm-constraints.ts";
export {
  type MergePartsOptions,
  mergeParts,
  type SplitPartsOptions,
  splitParts,
} from "./parts.ts";
export { type PolarCoordinatesOptions, polarCoordinates } from "./polar.ts";
export { squareSymmetries } from "./symmetries.ts";
export { setTreeMode, type TreeMode, type TreeOutputOptions, treeOutput } from "./tree-output.ts";
export { type UntiedBiasOptions, untiedBias } from "./untied-bias.ts";
export { averageViews, flattenViews } from "./views.ts";
