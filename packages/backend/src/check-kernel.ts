import type * as tf from "@tensorflow/tfjs";

/**
 * Throws unless these inputs of a kernel are float32 tensors of one shape: kernels read and write memory by what they take
 * the shape to be, and would go on beyond a tensor's end.
 */
export function checkShape(
  kernel: string,
  shape: readonly number[],
  inputs: Readonly<Record<string, tf.TensorInfo | undefined>>,
): void {
  for (const name in inputs) {
    const given = inputs[name];
    const same =
      given?.dtype === "float32" &&
      given.shape.length === shape.length &&
      shape.every((n, axis) => given.shape[axis] === n);
    if (!same)
      throw new RangeError(
        `${kernel}: expected float32 [${shape.join(", ")}] for ${name} but got ${given ? `${given.dtype} [${given.shape.join(", ")}]` : given}`,
      );
  }
}

/** The same of batch normalisation: inputs like `x` [..., channels], and a value for each channel. */
export function checkChannels(
  kernel: string,
  likeX: Readonly<Record<string, tf.TensorInfo>>,
  perChannel: Readonly<Record<string, tf.TensorInfo | undefined>>,
): void {
  const { shape } = Object.values(likeX)[0]!;
  checkShape(kernel, shape, likeX);
  checkShape(kernel, [shape.at(-1) ?? 1], perChannel);
}
