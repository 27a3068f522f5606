export { type DistinctParts, distinctParts } from "./distinct-parts.ts";
export {
  type ExtractPartsOptions,
  extractParts,
  mirrorViews,
  type PartOrigin,
  partLayout,
} from "./parts.ts";
export { type ExtractViewsOptions, extractViews, type ViewOptions, viewAffines } from "./views.ts";
