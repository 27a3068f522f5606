import type * as tf from "@tensorflow/tfjs";
import type { NodeBackend } from "../node-backend.ts";
import { type Graph, graphOf, type Work } from "./graph.ts";

/** Graphs for this many shapes at a time. */
const KEPT = 4;

/**
 * The kernel GzCompile: `work` as graphs, one for each list of shapes that `run` is given, made when it comes for the first
 * time, and after `dispose` anew (`graphOf` says what that means). Work that cannot be a graph is called as it is, after a
 * warning.
 */
export function compile({
  attrs,
  backend,
}: {
  attrs: { work: Work };
  backend: NodeBackend;
}): Graph {
  const { work } = attrs;
  const graphs = new Map<string, Graph>();
  let refused = false;

  const dispose = (): void => {
    for (const graph of graphs.values()) graph.dispose();
    graphs.clear();
  };

  /** What the work returns: by a graph if there is one, or can be. */
  function run(given: readonly tf.Tensor[]): tf.Tensor[] {
    if (refused) return work(given);
    const key = JSON.stringify(given.map(({ shape, dtype }) => [shape, dtype]));
    const known = graphs.get(key);
    if (known) return known.run(given);
    const made = graphOf(backend, work, given);
    if ("refused" in made) {
      refused = true;
      console.warn(`GzCompile: goes operation by operation, there is no graph: ${made.refused}`);
      return made.result;
    }
    if (graphs.size === KEPT) dispose();
    graphs.set(key, made);
    return made.run(given);
  }

  return { run, dispose };
}
