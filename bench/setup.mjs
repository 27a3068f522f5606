// npm run bench:setup: the bench's peers, in a Python environment in the user's cache folder, and SExtractor from the
// system's packages. A second run does nothing.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { ENVIRONMENT, PYTHON, peersInstalled, REQUIREMENTS, STAMP } from "./lib/peer.mjs";
import { findSourceExtractor } from "./lib/source-extractor.mjs";

if (peersInstalled()) {
  console.log(`The peers are installed in ${ENVIRONMENT}`);
} else {
  rmSync(STAMP, { force: true });
  console.log(
    `Installing the peers into ${ENVIRONMENT} (PyTorch is 6 GB on Linux, with its CUDA libraries)`,
  );
  run("python3", ["-m", "venv", ENVIRONMENT], "is Python 3 with its venv module installed?");
  run(PYTHON, ["-m", "pip", "install", "-r", REQUIREMENTS], "pip failed, as it says above");
  writeFileSync(STAMP, readFileSync(REQUIREMENTS));
}

const APT = [["update"], ["install", "-y", "--no-install-recommends", "source-extractor"]];
const program = findSourceExtractor();
if (program) {
  console.log(`SExtractor ${program.version} is installed`);
} else if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
  for (const args of APT) run("apt-get", args, "apt-get failed, as it says above");
} else {
  console.log("For the photometry case install SExtractor: sudo apt-get install source-extractor");
}

function run(command, args, hint) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) return;
  console.error(`bench:setup: ${[command, ...args].join(" ")}: ${error?.message ?? hint}`);
  process.exit(1);
}
