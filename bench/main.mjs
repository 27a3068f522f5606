// npm run bench -- [NAME…] [--quick] [--save]: figures of this machine, each beside a peer's, interleaved in one run.
import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { CASES } from "./cases/index.mjs";
import { THREADS } from "./lib/measure.mjs";
import { peersInstalled } from "./lib/peer.mjs";
import { markdown, textHeader, textRow } from "./lib/table.mjs";

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});
for (const name of names)
  if (!(name in CASES)) {
    console.error(`bench: expected ${Object.keys(CASES).join(", ")} but got ${name}`);
    process.exit(1);
  }

const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
console.log(`${machine}; ${THREADS} threads a side; median (quartiles)`);
if (!peersInstalled())
  console.log("The peers are not installed, or not all of them; to get them: npm run bench:setup");
const rows = [];
const notes = new Set();
const load = loadavg()[0];
if (load > 1) {
  notes.add(`load ${load.toFixed(1)} when it began: on a busy machine these figures mean little`);
  console.log([...notes][0]);
}
console.log(`\n${textHeader()}`);

for (const name of names.length ? names : Object.keys(CASES)) {
  const child = fork(new URL("child.mjs", import.meta.url), [name, options.quick ? "quick" : ""], {
    execArgv: ["--expose-gc"],
  });
  child.on("message", ({ row, note, error }) => {
    if (row) {
      rows.push(row);
      console.log(textRow(row));
    }
    if (note) notes.add(note);
    if (error) {
      console.log(`${name}: ${error}`);
      process.exitCode = 1;
    }
  });
  const [code] = await once(child, "exit");
  if (code) process.exitCode = code;
}
console.log(`\n${[...notes].join("\n")}`);

if (options.save) {
  const date = new Date().toISOString().slice(0, 10);
  const command = ["npm run bench --", ...names, options.quick && "--quick", "--save"];
  const text = `# Bench

${date}, ${machine}; ${THREADS} threads a side.
Written by \`${command.filter(Boolean).join(" ")}\`. Medians and quartiles of blocks that alternate between ours and the peer's.

${markdown(rows)}

${[...notes].map((note) => `- ${note}`).join("\n")}
`;
  await writeFile(new URL("RESULTS.md", import.meta.url), text);
}
