export { applyBlend, type Blend, type BlendOptions, blend, type Member } from "./blend.ts";
export { createMean, type Mean } from "./mean.ts";
export { type Dropped, type Pruned, prune } from "./prune.ts";
export { rmse } from "./rmse.ts";
export { type TransformOptions, transforms, WINNER_TRANSFORMS } from "./transforms.ts";
