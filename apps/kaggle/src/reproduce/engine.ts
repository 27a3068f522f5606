/**
 * An ensemble on this machine: what its members go on from, if anything; members side by side, each a chain of jobs in a
 * process of its own; then the blend. A process that is killed is started again and goes on; a member that fails is said,
 * and the rest goes on.
 */
import { CliError } from "../cli/errors.ts";
import { createProgress, say } from "../cli/progress.ts";
import { lastWords, runChild, threadArgs } from "./child.ts";
import { type Ensemble, isPredicted, isStarted, logFile } from "./folder.ts";
import { formatJob, type Job, runJob } from "./jobs.ts";
import { lookEvery } from "./look-every.ts";
import { describeMember, progressOf } from "./member-progress.ts";
import type { PlannedMember } from "./plan.ts";

export interface EngineResult {
  /** False when it was interrupted. */
  finished: boolean;
  /** Members that failed, and what they said last. */
  failed: { name: string; reason: string }[];
}

/** How often a member's process may be killed before it is given up. */
const TRIES = 3;
const WATCH_MS = 1000;

export async function runEnsemble(ensemble: Ensemble, signal: AbortSignal): Promise<EngineResult> {
  const result = await runMembers(ensemble, signal);
  if (result.finished)
    await runJob(
      ensemble,
      { kind: "blend" },
      { threads: ensemble.threads, workers: undefined, signal },
    );
  return result;
}

/** All but the blend; throws a CliError where no member is left. */
export async function runMembers(ensemble: Ensemble, signal: AbortSignal): Promise<EngineResult> {
  const failed: EngineResult["failed"] = [];
  const here = { threads: ensemble.threads, workers: undefined, signal };
  if (!(await runJob(ensemble, { kind: "decode" }, here))) return { finished: false, failed };

  const { start } = ensemble;
  const queue = ensemble.planned.filter((member) => !isPredicted(ensemble, member));
  const running = new Set<PlannedMember>();
  const run = async (member: PlannedMember) => {
    running.add(member);
    const reason = await runMember(ensemble, member, signal);
    running.delete(member);
    return reason;
  };
  const lane = async () => {
    for (let member = queue.shift(); member && !signal.aborted; member = queue.shift()) {
      const reason = await run(member);
      if (reason === undefined) continue;
      failed.push({ name: member.name, reason });
      say(`${member.name} failed: ${reason}; the others go on`);
    }
  };
  const watch = watchMembers(ensemble, running);
  try {
    if (start && queue.some((member) => !isStarted(ensemble, member))) {
      const reason = await run(start);
      if (reason !== undefined)
        throw new CliError(`reproduce: ${start.name}, which all go on from, failed: ${reason}`);
    }
    await Promise.all(Array.from({ length: ensemble.lanes }, lane));
  } finally {
    await watch.stop();
  }
  if (signal.aborted) return { finished: false, failed };
  if (failed.length === ensemble.planned.length)
    throw new CliError(`reproduce: every member failed; ${failed[0]!.name}: ${failed[0]!.reason}`);
  return { finished: true, failed };
}

/** Trains and predicts one member, or trains what they start from; returns why it failed, if it did. */
async function runMember(
  ensemble: Ensemble,
  member: PlannedMember,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name } = member;
  const isStart = member === ensemble.start;
  const log = logFile(ensemble, name);
  const jobs: Job[] = [{ kind: "train", member: name }];
  if (!isStart) jobs.push({ kind: "predict", member: name });
  const args = [
    ...["reproduce", "--out", ensemble.folder, "--job", jobs.map(formatJob).join()],
    ...threadArgs(isStart ? undefined : ensemble.threads),
  ];
  for (let attempt = 1; ; attempt++) {
    const { code, killedBy } = await runChild({ args, log, signal });
    if (code === 0 || signal.aborted) return undefined;
    if (code !== null && code !== 130) return lastWords(log);
    const how = killedBy ? `was killed (${killedBy})` : "was stopped";
    if (attempt === TRIES) return `its process ${how} ${TRIES} times`;
    say(`${name} ${how}; going on with it`);
  }
}

/** One line about all members, read from their folders. */
function watchMembers(ensemble: Ensemble, running: ReadonlySet<PlannedMember>) {
  let progress: ReturnType<typeof createProgress> | undefined;
  const watch = lookEvery(WATCH_MS, async () => {
    const { done, total, members } = await progressOf(ensemble);
    const names = new Set([...running].map(({ name }) => name));
    const notes = members.filter(({ name }) => names.has(name)).map(describeMember);
    progress ??= createProgress("members", Math.ceil(total));
    progress.update(Math.floor(done), notes.join(" · "));
  });
  return {
    async stop() {
      await watch.stop();
      progress?.stop();
    },
  };
}
