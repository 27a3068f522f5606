import { besidePyTorch } from "./best.mjs";

/** The winner's network on the WebAssembly backend and in PyTorch. */
export default async function bestWasm({ quick, note, row }) {
  await besidePyTorch(
    "best",
    "wasm",
    { step: 2.5 },
    { rounds: quick ? 1 : 4, times: 2 },
    { note, row },
  );
}
