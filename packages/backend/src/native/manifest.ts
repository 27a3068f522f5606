/** The operations that cc/ adds to TensorFlow. */
export const OPERATIONS: readonly string[] = [
  "GzAdamW",
  "GzBatchNorm",
  "GzBatchNormGrad",
  "GzMaxPoolGrad",
];

/** gz-native.json, written beside the installed addon. */
export interface Manifest {
  format: 2;
  /** TensorFlow's version. */
  tensorflow: string;
  device: "cpu" | "cuda";
  /** Everything that went into the addon: its sources, flags and TensorFlow. */
  key: string;
  /** File name of each addon, and its SHA-256. */
  addons: Record<string, string>;
  /** Absolute path of each TensorFlow library, and its SHA-256. */
  libraries: Record<string, string>;
  /** Our own operations in the addon: one built by an older version of this package may lack some. */
  operations?: readonly string[];
}
