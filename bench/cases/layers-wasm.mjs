import { besideTfjs } from "./layers.mjs";

/** The same on WebAssembly. */
export default async function layersWasm(bench) {
  await besideTfjs("wasm", bench);
}
