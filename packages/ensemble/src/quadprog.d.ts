/** The part of quadprog (which ships no types) that the blends use. Its arrays start at index 1. */
declare module "quadprog" {
  /** Minimises x'Dx/2 - d'x subject to A'x >= b, the first `meq` constraints being equalities. */
  function solveQP(
    D: number[][],
    d: number[],
    A: number[][],
    b: number[],
    meq: number,
  ): { solution: number[]; message: string };
  const quadprog: { solveQP: typeof solveQP };
  export default quadprog;
}
