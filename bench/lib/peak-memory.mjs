// Most resident memory, in MB, of a process that trains `best` for some steps on a backend.
import { openNetwork } from "./network.mjs";

const { training } = await openNetwork("best", process.argv[2]);
const step = training();
for (let i = 0; i < 8; i++) await step();
console.log(process.resourceUsage().maxRSS / 1e3);
process.exit();
