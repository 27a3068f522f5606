import { spawn } from "node:child_process";

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end. A program that cannot be started gives code 127.
 * With `show`, what it prints goes to this process's terminal as well.
 */
export function run(
  command: string,
  args: readonly string[],
  {
    env,
    signal,
    show = false,
  }: { env?: NodeJS.ProcessEnv; signal?: AbortSignal; show?: boolean } = {},
): Promise<Output> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: env ?? process.env,
      stdio: ["ignore", show ? "inherit" : "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (data) => {
      stdout += data;
    });
    child.stderr?.on("data", (data) => {
      stderr += data;
    });
    const stop = () => child.kill("SIGTERM");
    signal?.addEventListener("abort", stop);
    child.on("error", (error) => resolve({ code: 127, stdout, stderr: String(error) }));
    child.on("close", (code) => {
      signal?.removeEventListener("abort", stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, stdout, stderr });
    });
  });
}

/**
 * The first of `commands` that starts with `args` and exits 0, or undefined. Where the environment names one in `variable`
 * it is that one alone, and an error if it does not.
 */
export async function firstThatRuns(
  variable: string,
  commands: readonly string[],
  args: readonly string[],
): Promise<string | undefined> {
  const chosen = process.env[variable];
  for (const command of chosen ? [chosen] : commands)
    if ((await run(command, args)).code === 0) return command;
  if (!chosen) return undefined;
  throw new Error(
    `native: expected a program that runs with ${args.join(" ")} for ${variable} but got ${chosen}`,
  );
}
