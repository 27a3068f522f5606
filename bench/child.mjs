// One case in a process of its own, started by main.mjs: two backends do not share one well.
import { CASES } from "./cases/index.mjs";

const [name, quick] = process.argv.slice(2);
const send = (message) => new Promise((resolve) => process.send(message, resolve));
try {
  const { default: run } = await CASES[name]();
  await run({
    quick: quick === "quick",
    note: (text) => send({ note: text }),
    row: (row) => send({ row }),
  });
} catch (error) {
  await send({ error: error.message });
}
process.exit(); // a backend's threads would keep it alive
