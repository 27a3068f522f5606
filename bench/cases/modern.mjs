import { besidePyTorch } from "./best.mjs";

/** The residual network (recipe `modern`) natively and in PyTorch. */
export default async function modern({ quick, note, row }) {
  await besidePyTorch(
    "modern",
    "tensorflow",
    { step: 0.9 },
    { rounds: quick ? 3 : 9, times: 8 },
    { note, row },
  );
}
