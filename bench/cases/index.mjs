/** The bench's cases by name; each runs in a process of its own. */
export const CASES = {
  best: () => import("./best.mjs"),
  "best-wasm": () => import("./best-wasm.mjs"),
  "best-chromium": () => import("./best-chromium.mjs"),
  modern: () => import("./modern.mjs"),
  dispatch: () => import("./dispatch.mjs"),
  input: () => import("./input.mjs"),
  memory: () => import("./memory.mjs"),
  average: () => import("./average.mjs"),
  start: () => import("./start.mjs"),
  growth: () => import("./growth.mjs"),
  images: () => import("./images.mjs"),
  augment: () => import("./augment.mjs"),
  kernels: () => import("./kernels.mjs"),
  "kernels-wasm": () => import("./kernels-wasm.mjs"),
  layers: () => import("./layers.mjs"),
  "layers-wasm": () => import("./layers-wasm.mjs"),
  train: () => import("./train.mjs"),
  galaxies: () => import("./galaxies.mjs"),
  blend: () => import("./blend.mjs"),
  photometry: () => import("./photometry.mjs"),
  "half-hour": () => import("./half-hour.mjs"),
};

/** Those that take so long that they run only when they are named. */
export const LONG = ["half-hour"];
