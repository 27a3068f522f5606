// Workers made from text, so that bundlers have no file to find: of Node, or of a page.
import { isNode } from "./node.ts";

export interface TextWorker {
  /** Once the text has called ready(). */
  ready: Promise<unknown>;
  /** From now on it keeps no process alive. */
  unref(): void;
  terminate(): void;
}

/** Starts a worker that runs `text`, which finds its `data` and the function ready() in scope. */
export function startWorker(text: string, data: object): TextWorker {
  return isNode() ? nodeWorker(text, data) : pageWorker(text, data);
}

function nodeWorker(text: string, workerData: object): TextWorker {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const scope = `
    const { workerData: data, parentPort } = require("node:worker_threads");
    const ready = () => parentPort.postMessage("ready");`;
  const worker = new Worker(scope + text, { eval: true, workerData });
  const ready = new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return { ready, unref: () => worker.unref(), terminate: () => void worker.terminate() };
}

/** As much of a page's Worker as is used here: TypeScript has it with the DOM only. */
interface PageWorker {
  onmessage: (message: unknown) => void;
  onerror: (error: { message?: string }) => void;
  postMessage(data: object): void;
  terminate(): void;
}

function pageWorker(text: string, data: object): TextWorker {
  const scope = `onmessage = ({ data }) => { const ready = () => postMessage("ready");${text} };`;
  const url = URL.createObjectURL(new Blob([scope], { type: "text/javascript" }));
  const { Worker } = globalThis as unknown as { Worker: new (url: string) => PageWorker };
  const worker = new Worker(url);
  const ready = new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = ({ message }) => reject(new Error(message ?? "the worker did not start"));
  }).finally(() => URL.revokeObjectURL(url));
  worker.postMessage(data);
  return { ready, unref() {}, terminate: () => worker.terminate() };
}
