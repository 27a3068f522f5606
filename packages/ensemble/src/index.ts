export { applyBlend, type Blend, type BlendOptions, blend, type Member } from "./blend.ts";
export { type Choice, chooseBlend } from "./choose.ts";
export { errorCorrelation } from "./correlation.ts";
export { type LeftOut, leaveOneOut } from "./leave-one-out.ts";
export { createMean, type Mean } from "./mean.ts";
export { rmse } from "./rmse.ts";
export { type TransformOptions, transforms, WINNER_TRANSFORMS } from "./transforms.ts";
