/**
 * The run has left the numbers: the loss (or, when a checkpoint is about to be written, a weight) is NaN or infinite.
 * `step` is the number of steps done. Nothing was saved; the last checkpoint is a good one.
 */
export class NonFiniteLossError extends Error {
  override readonly name = "NonFiniteLossError";
  readonly step: number;

  constructor(message: string, step: number) {
    super(
      `${message}. Go on from the last checkpoint with a lower learning rate, and look for NaN in the inputs and labels`,
    );
    this.step = step;
  }
}
