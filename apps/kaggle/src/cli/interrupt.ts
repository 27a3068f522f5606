/**
 * Ctrl-C, once: asks the work to stop after what it is doing, so that it can save; twice: ends the process at once.
 * SIGTERM (a cluster's notice) and SIGHUP (the terminal is closed) ask likewise, however often they come, and so does the
 * end of a parent process that listens (IPC).
 */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Gives the signals back to their default. */
  release(): void;
}

export function onInterrupt(say: (line: string) => void): Interrupt {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) return;
    say("stopping after this step (Ctrl-C again ends at once)");
    controller.abort();
  };
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130);
    stop();
  };
  const orphaned = () => controller.abort();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop);
  process.on("disconnect", orphaned);
  return {
    signal: controller.signal,
    release() {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", stop);
      process.off("SIGHUP", stop);
      process.off("disconnect", orphaned);
    },
  };
}
