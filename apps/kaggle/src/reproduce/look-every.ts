/**
 * Calls `look` again and again, never twice at a time, until it is stopped. A look that fails is left out: what it reads
 * is being written by others, and a file that goes while it is read is there, or gone for good, at the next.
 */
export function lookEvery(
  milliseconds: number,
  look: () => Promise<void>,
): { stop(): Promise<void> } {
  let busy: Promise<void> | undefined;
  const timer = setInterval(() => {
    busy ??= look()
      .catch(() => {})
      .finally(() => {
        busy = undefined;
      });
  }, milliseconds);
  return {
    async stop() {
      clearInterval(timer);
      await busy;
    },
  };
}
