// npm run bench:setup: a Python environment with the bench's peers, in the user's cache folder. A second run does nothing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ENVIRONMENT, PEERS, PYTHON, STAMP } from "./lib/peer.mjs";

const requirements = join(PEERS, "requirements.txt");
const wanted = readFileSync(requirements, "utf8");
if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) {
  console.log(`The peers are installed in ${ENVIRONMENT}`);
} else {
  rmSync(STAMP, { force: true });
  console.log(
    `Installing the peers into ${ENVIRONMENT} (PyTorch is 6 GB on Linux, with its CUDA libraries)`,
  );
  run("python3", ["-m", "venv", ENVIRONMENT], "is Python 3 with its venv module installed?");
  run(PYTHON, ["-m", "pip", "install", "-r", requirements], "pip failed, as it says above");
  writeFileSync(STAMP, wanted);
}

function run(command, args, hint) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) return;
  console.error(`bench:setup: ${[command, ...args].join(" ")}: ${error?.message ?? hint}`);
  process.exit(1);
}
