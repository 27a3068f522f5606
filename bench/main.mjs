// npm run bench -- [NAME…] [--quick] [--save]: figures of this machine, each beside a peer's, interleaved in one run.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { CASES, LONG } from "./cases/index.mjs";
import { THREADS } from "./lib/measure.mjs";
import { peersInstalled } from "./lib/peer.mjs";
import { mergeResults } from "./lib/results.mjs";
import { textHeader, textRow } from "./lib/table.mjs";

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
const load = loadavg()[0];
const busy =
  load > 1
    ? `load ${load.toFixed(1)} when it began: on a busy machine these figures mean little`
    : undefined;
if (busy) console.log(busy);
console.log(`\n${textHeader()}`);

/** What was measured, by case. */
const results = {};
const all = Object.keys(CASES).filter((name) => !LONG.includes(name));
for (const name of names.length ? names : all) {
  const rows = [];
  let failed = false;
  const notes = new Set(busy && [busy]);
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
      failed = true;
    }
  });
  const [code, signal] = await once(child, "exit");
  if (signal) console.log(`${name}: its process was ended by ${signal}`);
  failed ||= code !== 0;
  if (failed) process.exitCode = 1;
  // Half a case would take the place of a whole one.
  else if (rows.length > 0) results[name] = { rows, notes: [...notes] };
}
const notes = new Set(Object.values(results).flatMap((result) => result.notes));
console.log(`\n${[...notes].join("\n")}`);

if (options.save) {
  const file = new URL("RESULTS.md", import.meta.url);
  const when = `${new Date().toISOString().slice(0, 10)}, ${machine}; ${THREADS} threads a side${options.quick ? "; --quick" : ""}`;
  const old = existsSync(file) ? readFileSync(file, "utf8") : "";
  writeFileSync(file, mergeResults(old, results, when, Object.keys(CASES)));
}
