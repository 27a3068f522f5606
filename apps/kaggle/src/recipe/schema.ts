/**
 * What a recipe may say: every key, what it means and what values it takes. Lengths are pixels of the 424 x 424 source
 * image, angles degrees, rates per step.
 */
import * as v from "valibot";
import { checked } from "../cli/checked.ts";
import { treeSchema } from "./question-tree.ts";

const positiveInteger = v.pipe(v.number(), v.integer(), v.minValue(1));
const nonNegative = v.pipe(v.number(), v.minValue(0));
const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const fractionBelowOne = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
const fractionAboveZero = v.pipe(v.number(), v.gtValue(0), v.maxValue(1));
/** Standard deviation of the initial weights, or He's sqrt(2 / fan-in). */
const std = v.union([v.literal("he"), nonNegative]);

const pixels = v.pipe(v.number(), v.gtValue(0), v.maxValue(424));
const span = v.pipe(v.number(), v.minValue(16), v.maxValue(600));

const input = v.strictObject({
  /** Images of other sizes than 424 x 424: refused (left out), or their largest centred square brought to it ("cover"). */
  fit: v.optional(v.literal("cover")),
  /** The source is averaged over shrink x shrink pixels before it is sampled: 1 is the winner's, with aliasing. */
  shrink: v.picklist([1, 2, 4]),
  /** Side of a view, in output pixels. */
  size: v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(424)),
  /**
   * Side of the square that a view covers; a list gives each view its own. The winner's code has scales of 159, 424 and
   * 53 side by side, which no model of his uses: he reports nothing of them.
   */
  span: v.union([span, v.array(span)]),
  /** One view for each angle. */
  angles: v.pipe(v.array(v.number()), v.minLength(1)),
  /** Each galaxy is moved to the middle and brought to one size by its photometry; left out, none is. */
  centre: v.optional(
    v.strictObject({
      /** Of detection, in standard deviations of the background. */
      threshold: v.pipe(v.number(), v.gtValue(0)),
      /** The Petrosian radius that every galaxy is brought to, in pixels of the source. */
      radius: v.pipe(v.number(), v.gtValue(0)),
      /** The most that a galaxy is enlarged or shrunk. */
      limit: v.pipe(v.number(), v.minValue(1)),
    }),
  ),
  /**
   * Local contrast normalisation of each view and colour, localContrast of @gz/layers: Gaussians of so many pixels of a
   * view, values in 0..1; left out, none. The winner's code has it, too slow to use: he reports nothing of it.
   */
  contrast: v.optional(
    v.strictObject({ mean: pixels, deviation: pixels, bias: fractionAboveZero }),
  ),
  /**
   * Each view in polar coordinates about its middle, polarCoordinates of @gz/layers: `angles` rows of a turn, `wrap` of
   * them again at either end, and `radii` columns. For residual networks without symmetries, whose turns are of squares;
   * left out, none. The winner's code has layers for it, in no model of his: he reports nothing of it.
   */
  polar: v.optional(
    v.strictObject({
      angles: positiveInteger,
      radii: positiveInteger,
      wrap: v.pipe(v.number(), v.integer(), v.minValue(0)),
    }),
  ),
  /** The network sees scale * pixel + offset, pixels in 0..1, or normalised ones. */
  scale: v.number(),
  offset: v.number(),
});

const augment = v.strictObject({
  zoom: v.pipe(v.number(), v.minValue(1), v.maxValue(4)),
  rotation: nonNegative,
  /** Largest angle either way. The winner tried it: neutral. */
  shear: nonNegative,
  translation: nonNegative,
  flip: v.boolean(),
  /** Standard deviation of the multiple of the winner's colour vector; 0 leaves colours alone. */
  color: nonNegative,
  /** Of what is added to pixels (color, noise): whether they are brought back into 0..1. */
  clip: v.boolean(),
  /**
   * Every pixel to the power of one exponent a galaxy, log-uniform in 1 / gamma..gamma. The winner tried it instead of
   * `color`: no help.
   */
  gamma: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(4))),
  /**
   * Standard deviation of Gaussian noise on every pixel, 0.1 in the winner's code, where no model uses it: he reports
   * nothing of it.
   */
  noise: v.optional(fraction),
});

const head = v.strictObject({
  dropout: v.pipe(v.number(), v.minValue(0), v.maxValue(0.95)),
  std,
  /** "mean-label": such that an all-zero input predicts the training set's mean label. */
  bias: v.union([v.literal("mean-label"), v.number()]),
});

/** Dropout on its input, then maxout units of so many pieces; 1 piece is a ReLU unit. */
const dense = v.strictObject({
  units: positiveInteger,
  pieces: positiveInteger,
  dropout: v.pipe(v.number(), v.minValue(0), v.maxValue(0.95)),
  std,
  bias: v.number(),
  /** After every so many steps, the root mean square of a linear unit's weights is limited to `max`. */
  rmsNorm: v.optional(
    v.strictObject({ max: v.pipe(v.number(), v.gtValue(0)), every: positiveInteger }),
  ),
});

const partsNetwork = v.strictObject({
  kind: v.literal("parts"),
  partSize: positiveInteger,
  conv: v.pipe(
    v.array(
      v.strictObject({
        filters: positiveInteger,
        size: positiveInteger,
        /** Steps of the filters, 1 if left out. The winner tried 2 in the first layer on 1.5x downsampling: no gain. */
        stride: v.optional(positiveInteger),
        /**
         * The maximum over 2 x 2, or over squares of this size and stride; where they overlap (3 and 2, Krizhevsky et
         * al. 2012) the winner found a small gain that was not worth the time.
         */
        pool: v.union([
          v.boolean(),
          v.strictObject({ size: positiveInteger, stride: positiveInteger }),
        ]),
        std,
        bias: v.number(),
      }),
    ),
    v.minLength(1),
  ),
  /** Dense layers that each part passes before the parts are merged; left out, none. */
  shared: v.optional(v.array(dense)),
  dense: v.array(dense),
  head,
});

const residualNetwork = v.strictObject({
  kind: v.literal("residual"),
  stem: v.strictObject({
    filters: positiveInteger,
    size: positiveInteger,
    stride: v.picklist([1, 2]),
  }),
  stages: v.pipe(
    v.array(
      v.strictObject({
        filters: positiveInteger,
        blocks: positiveInteger,
        stride: v.picklist([1, 2]),
      }),
    ),
    v.minLength(1),
  ),
  /**
   * Predicts from the mean over the eight turns and mirror images of every view, and trains on the first view alone,
   * which augmentation turns: 8 V times the time to predict, and none to train. Left out: false.
   */
  symmetries: v.optional(v.boolean()),
  head,
});

const schema = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1)),
  about: v.string(),
  input,
  augment,
  network: v.variant("kind", [partsNetwork, residualNetwork]),
  output: v.strictObject({
    /** "kaggle", "proper", or questions of your own (a JSON file beside the recipe, or in place): question-tree.ts. */
    tree: treeSchema,
    /** Of a question's answers. The winner found that softmax made little difference; it cannot predict hard zeros. */
    normalize: v.picklist(["divisive", "softmax"]),
    /** What training minimises; the score is the squared error's root either way. Left out: "squared-error". */
    loss: v.optional(v.picklist(["squared-error", "cross-entropy"])),
    /** Label smoothing of the cross-entropy: this share of a question's votes, spread over its answers. Left out, none. */
    smoothing: v.optional(fractionBelowOne),
    /**
     * The first steps, a fifth of the run at most, regress the labels directly, clipped to 0..1; then the tree, velocity
     * afresh. Not with softmax: its logits would be clipped to 0, where there is no gradient.
     */
    clipSteps: v.pipe(v.number(), v.integer(), v.minValue(0)),
  }),
  optimizer: v.variant("kind", [
    v.strictObject({ kind: v.literal("nesterov"), momentum: fractionBelowOne }),
    v.strictObject({ kind: v.literal("adamw"), weightDecay: nonNegative }),
  ]),
  schedule: v.variant("kind", [
    v.strictObject({
      kind: v.literal("steps"),
      /** [fraction of the run from which it holds, learning rate] */
      rates: v.pipe(v.array(v.tuple([fraction, nonNegative])), v.minLength(1)),
    }),
    v.strictObject({ kind: v.literal("cosine"), peak: nonNegative, warmup: fractionBelowOne }),
  ]),
  /** Decay of the weights' moving average; left out, the last weights are used. */
  average: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.99999))),
  batch: positiveInteger,
  /** Images drawn without replacement before the next shuffle; left out, the whole training set. */
  chunk: v.optional(positiveInteger),
  steps: positiveInteger,
});

export type Recipe = v.InferOutput<typeof schema>;
export type PartsNetwork = Extract<Recipe["network"], { kind: "parts" }>;
export type ResidualNetwork = Extract<Recipe["network"], { kind: "residual" }>;

/** A value as a recipe, each key by itself; throws a CliError that names the key at fault (`source`: where it stands). */
export function checkKeys(value: unknown, source: string): Recipe {
  return checked(schema, value, { caller: "recipe", what: "the recipe", file: source });
}
