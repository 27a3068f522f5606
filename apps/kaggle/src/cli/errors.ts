/** An error of the user's making: printed as one line without a stack; `code` is the process's exit code. */
export class CliError extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.name = "CliError";
    this.code = code;
  }
}
