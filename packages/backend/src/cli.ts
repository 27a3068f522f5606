#!/usr/bin/env node
import { parseArgs } from "node:util";
import { buildNative } from "./native/build.ts";

const HELP = `gz-backend native [--cuda] [--force]

Builds a TensorFlow.js for Node that works today: fetches TensorFlow by pip, compiles the addon of
@tensorflow/tfjs-node-gpu against it and installs it there. Run it again after npm ci: it then takes seconds.

  --cuda    TensorFlow's CUDA 12 build (Linux x64; several GB)
  --force   fetch and compile again
  --help    this text

Environment: GZ_CACHE_DIR (where TensorFlow is kept), PYTHON, CXX, and pip's own variables.
`;

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    console.error(`gz-backend: ${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length !== 1 || positionals[0] !== "native") {
    console.error(
      `gz-backend: expected the command native but got ${positionals.join(" ") || "none"}\n\n${HELP}`,
    );
    return 2;
  }
  const stop = new AbortController();
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names)
    process.on(name, () => stop.abort(new Error("native: stopped; nothing was changed")));
  try {
    await buildNative({
      cuda: values.cuda,
      force: values.force,
      say: (line) => console.log(line),
      signal: stop.signal,
    });
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return stop.signal.aborted ? 130 : 1;
  }
}

const parse = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      cuda: { type: "boolean", default: false },
      force: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });

process.exitCode = await main();
