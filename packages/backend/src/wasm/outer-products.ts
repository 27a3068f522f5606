// Sums of outer products, of which gradients of convolutions and wide matrix products are made.
import {
  advance,
  type assembler,
  type Code,
  clamp,
  f32,
  f32x4,
  i32,
  loopWhile,
  type Scope,
  type Variable,
  when,
} from "./assembler.ts";
import { params } from "./loops.ts";

/** Numbers that describe a job of `outerProductsOf`. */
export const JOB_FIELDS = 13;

/** Defines `outerProductsOf` (see Simd) and the functions that it calls. */
export function defineOuterProducts({
  define,
}: Pick<ReturnType<typeof assembler>, "define">): void {
  // Registers hold 4 channels x 8 outputs: the most that fits x86's 16 beside what is loaded.
  const blocks = [4, 1].map((channels) => ({
    channels,
    calls: [8, 1].map((outputs) => ({
      outputs,
      call: define(`outerProducts${channels}x${outputs}`, (scope) =>
        outerBlock(scope, channels, outputs),
      ),
    })),
  }));
  const outerProducts = define("outerProducts", ({ param, local }) => {
    const [x, dy, dw, ...shape] = params(param, 11);
    const [channels, outputs] = params(param, 2);
    const [left, d, w, stride] = [local("i32"), local("i32"), local("i32"), local("i32")];
    const extents = [...shape, stride].map((v) => v.get);
    return [
      stride.set(i32.shl(outputs.get, i32.const(2))),
      ...blocks.map((block) =>
        loopWhile(
          i32.lessThan(i32.const(block.channels - 1), channels.get),
          left.set(outputs.get),
          d.set(dy.get),
          w.set(dw.get),
          ...block.calls.map(({ outputs: n, call }) =>
            loopWhile(
              i32.lessThan(i32.const(n - 1), left.get),
              call(x.get, d.get, w.get, ...extents),
              advance(d, 4 * n),
              advance(w, 4 * n),
              advance(left, -n),
            ),
          ),
          advance(x, 4 * block.channels),
          ...Array.from({ length: block.channels }, () => advance(dw, stride.get)),
          advance(channels, -block.channels),
        ),
      ),
    ];
  });

  define("outerProductsOf", ({ param, local }) => {
    const [jobs, count, outputs, begin, end] = params(param, 5);
    const [low, high, first] = [local("i32"), local("i32"), local("i32")];
    const field = (i: number): Code => i32.load(jobs.get, 4 * i);
    const skipped = i32.sub(low.get, first.get);
    return [
      loopWhile(
        count.get,
        first.set(field(12)),
        low.set(first.get),
        high.set(i32.add(first.get, field(11))),
        clamp(low, begin.get),
        clamp(high, end.get, true),
        when(
          i32.lessThan(low.get, high.get),
          outerProducts(
            i32.add(field(0), i32.shl(skipped, i32.const(2))),
            field(1),
            i32.add(field(2), i32.shl(i32.mul(skipped, outputs.get), i32.const(2))),
            ...[3, 4, 5, 6, 7, 8, 9, 10].map(field),
            i32.sub(high.get, low.get),
            outputs.get,
          ),
        ),
        advance(jobs, 4 * JOB_FIELDS),
        advance(count, -1),
      ),
    ];
  });
}

/** dw[channels, outputs] += the sum of outer products over all pixels, held in local variables meanwhile. */
function outerBlock({ param, local }: Scope, channels: number, outputs: number): Code[] {
  const [x, dy, dw, images, rows, columns, xImage, xRow, xColumn, dyImage, dyRow, stride] = params(
    param,
    12,
  );
  const lanes = outputs === 1 ? f32 : f32x4;
  const type = outputs === 1 ? "f32" : "v128";
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const vectors = range((4 * outputs) / lanes.width);
  const sums = range(channels).map(() => vectors.map(() => local(type)));
  const derivatives = vectors.map(() => local(type));
  const factor = local(type);
  const [xLine, dyLine, xAt, dyAt] = [local("i32"), local("i32"), local("i32"), local("i32")];
  const [row, column] = [local("i32"), local("i32")];
  const overSums = (f: (sum: Variable, v: number) => Code): Code[] =>
    sums.flatMap((line) => [...line.map(f), advance(dw, stride.get)]);
  return [
    ...overSums((sum, v) => sum.set(lanes.load(dw.get, lanes.width * v))),
    loopWhile(
      images.get,
      xLine.set(x.get),
      dyLine.set(dy.get),
      row.set(rows.get),
      loopWhile(
        row.get,
        xAt.set(xLine.get),
        dyAt.set(dyLine.get),
        column.set(columns.get),
        loopWhile(
          column.get,
          ...derivatives.map((d, v) => d.set(lanes.load(dyAt.get, lanes.width * v))),
          ...sums.flatMap((line, c) => [
            factor.set(lanes.loadSplat(xAt.get, 4 * c)),
            ...line.map((sum, v) =>
              sum.set(lanes.add(sum.get, lanes.mul(factor.get, derivatives[v].get))),
            ),
          ]),
          advance(xAt, xColumn.get),
          advance(dyAt, stride.get),
          advance(column, -1),
        ),
        advance(xLine, xRow.get),
        advance(dyLine, dyRow.get),
        advance(row, -1),
      ),
      advance(x, xImage.get),
      advance(dy, dyImage.get),
      advance(images, -1),
    ),
    ...range(channels).map(() => dw.set(i32.sub(dw.get, stride.get))),
    ...overSums((sum, v) => lanes.store(dw.get, sum.get, lanes.width * v)),
  ];
}
