// Milliseconds of a step of `modern` with so many threads, in a process of its own: TensorFlow takes their number once.
import { timed } from "./measure.mjs";
import { openNetwork } from "./network.mjs";

const [threads, times] = process.argv.slice(2).map(Number);
const { training } = await openNetwork("modern", "tensorflow", {}, threads);
const step = training();
await timed(step)(10);
console.log(JSON.stringify(await timed(step)(times)));
process.exit();
