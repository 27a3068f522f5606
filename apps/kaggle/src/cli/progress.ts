/**
 * Progress of long work: a bar with an ETA on a terminal, a plain line now and then in a log.
 * All of it goes to stderr; stdout carries results only.
 */
import cliProgress from "cli-progress";
import pc from "picocolors";

export interface Progress {
  /** @param done 0..total. @param note shown behind the bar. */
  update(done: number, note?: string): void;
  /** Prints a line without breaking the bar. */
  line(text: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 15_000;

export function createProgress(title: string, total: number): Progress {
  return process.stderr.isTTY ? bar(title, total) : lines(title, total);
}

/** A line to the person at the terminal. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Seconds as 45s, 3m 20s, 2h 05m. */
export function formatSeconds(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`;
}

function bar(title: string, total: number): Progress {
  const clock = remaining(total);
  const view = new cliProgress.SingleBar({
    format: `${title.padEnd(9)} ${pc.cyan("{bar}")} {percentage}% · {time} · {note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 28,
    hideCursor: true,
    clearOnComplete: false,
    gracefulExit: false,
    linewrap: false,
  });
  view.start(total, 0, { time: "…", note: "" });
  const stop = () => view.stop();
  process.once("exit", stop); // however it ends, the terminal gets its cursor and its line wrap back
  return {
    update: (done, note = "") => view.update(done, { time: clock(done), note }),
    line(text) {
      process.stderr.write(`\r\x1b[K${text}\n`);
    },
    stop() {
      process.off("exit", stop);
      stop();
    },
  };
}

function lines(title: string, total: number): Progress {
  const clock = remaining(total);
  let last = performance.now();
  return {
    update(done, note = "") {
      const now = performance.now();
      if (done < total && now - last < LINE_EVERY_MS) return;
      last = now;
      const percent = ((100 * done) / total).toFixed(0).padStart(3);
      say(`${title.padEnd(9)} ${percent}%  ${clock(done)}  ${note}`);
    },
    line: say,
    stop() {},
  };
}

/** "3m 20s left" from the pace since the first update, and "took 12s" at the end. */
function remaining(total: number): (done: number) => string {
  const createdAt = performance.now();
  let startedAt = 0;
  let startedDone = 0;
  return (done) => {
    const now = performance.now();
    if (done >= total) return `took ${formatSeconds((now - createdAt) / 1000)}`;
    if (startedAt === 0) {
      startedAt = now;
      startedDone = done;
    }
    const pace = (done - startedDone) / (now - startedAt);
    return pace > 0 ? `${formatSeconds((total - done) / pace / 1000)} left` : "… left";
  };
}
