/** gz-native.json, written beside the installed addon. */
export interface Manifest {
  format: 1;
  /** TensorFlow's version. */
  tensorflow: string;
  device: "cpu" | "cuda";
  /** Everything that went into the addon: its sources, flags and TensorFlow. */
  key: string;
  /** SHA-256 of the addon. */
  addon: string;
  /** Absolute path of each TensorFlow library, and its SHA-256. */
  libraries: Record<string, string>;
  node: string;
  compiler: string;
}
