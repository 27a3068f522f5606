import { availableParallelism } from "node:os";

/**
 * Runs `task` for 0 ... count-1, a few at a time. The first error (or the signal) starts no further task, and is thrown
 * once the running ones have ended, so that nothing goes on behind the caller's back.
 */
export async function concurrently(
  count: number,
  { signal, limit = 2 * availableParallelism() + 2 }: { signal?: AbortSignal; limit?: number },
  task: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    try {
      while (!failed && next < count) {
        signal?.throwIfAborted();
        await task(next++);
      }
      signal?.throwIfAborted();
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, count) }, lane));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
