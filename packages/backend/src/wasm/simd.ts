// The inner loops of the kernels, assembled for the memory of tfjs's wasm backend. Addresses and strides
// are in bytes, counts in elements; arrays are float32 where not said otherwise, and of any length.
import {
  advance,
  assembler,
  type Code,
  clamp,
  f32,
  f32x4,
  f64,
  f64x2,
  i32,
  type Lanes,
  loopWhile,
  type Scope,
  type Variable,
  when,
} from "./assembler.ts";

export const JOB_FIELDS = 13;

type Routine = (...parameters: number[]) => void;

/** The assembled functions, each with its parameters. Strides, where a function has them, go (image, row, column). */
export interface Simd {
  /** (dy, y, dx, count): dx = dy where y > 0, else 0. */
  reluGrad: Routine;
  /** (a, b, sums, products, pixels, channels): sums[c] += a[p, c], products[c] += a[p, c] b[p, c]; the results are float64. */
  channelSums: Routine;
  /** (x, y, mean, gain, offset, pixels, channels): y[p, c] = (x[p, c] - mean[c]) gain[c] + offset[c]. */
  normalize: Routine;
  /** (dy, x, dx, level, gain, mean, slope, pixels, channels): dx[p, c] = (dy[p, c] - level[c]) gain[c] + (x[p, c] - mean[c]) slope[c]. */
  normalizeGrad: Routine;
  /** (theta, v, g, count, rate, momentum): v = momentum v - rate g; theta += momentum v - rate g. */
  nesterov: Routine;
  /**
   * (theta, m, v, g, count, beta1, 1 - beta1, beta2, 1 - beta2, rate, root, epsilon, keep): m = beta1 m + (1 - beta1) g;
   * v = beta2 v + (1 - beta2) g g; theta = keep theta - rate m / (sqrt(v) / root + epsilon).
   */
  adamw: Routine;
  /** (a, b, count, rate): a += rate (b - a). */
  approach: Routine;
  /** (to, from, images, rows, columns, strides of to, strides of from, channels): to[p, c] = from[p, c]. */
  copyPixels: Routine;
  /** The same, to[p, c] += from[p, c]. */
  addPixels: Routine;
  /**
   * (x, dx, y, dy, images, rows, columns, strides of x and dx, strides of y and dy, channels): where x[p, c] = y[p, c]
   * what dy[p, c] holds moves to dx[p, c], and dy[p, c] is 0 from then on.
   */
  passWhereEqual: Routine;
  /**
   * (jobs, count, outputs, begin, end): for every job dw[c, o] += the sum of x[p, c] dy[p, o] over the pixels p. A job is
   * JOB_FIELDS int32: x, dy, dw, images, rows, columns, strides of x, image and row stride of dy, channels, first. Neighbours in
   * a row of dy are adjacent. `first` numbers a job's first row of dw; only rows from begin to before end are computed.
   */
  outerProductsOf: Routine;
}

/** A WebAssembly.Memory, and as much of WebAssembly as is used here: TypeScript has it with the DOM only. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
}
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

/** Compiles the functions for a memory; workers make their own instances of the module. */
export function compile(memory: Memory): Compiled {
  const shared =
    typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(assemble({ shared }));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { module, memory, functions: exports as Simd };
}

export interface Compiled {
  module: object;
  memory: Memory;
  functions: Simd;
}

function assemble(memory: { shared: boolean }): Uint8Array<ArrayBuffer> {
  const { define, bytes } = assembler();

  define("reluGrad", ({ param }) => {
    const [dy, y, dx, count] = params(param, 4);
    return forEach(count, [dy, y, dx], (lanes) =>
      lanes.store(dx.get, lanes.wherePositive(lanes.load(dy.get), lanes.load(y.get))),
    );
  });

  define("channelSums", ({ param, local }) => {
    const [a, b, sums, products, pixels, channels] = params(param, 6);
    const stride = local("i32");
    const left = local("i32");
    const [from, with_] = [local("i32"), local("i32")];
    const [low, high] = [local("v128"), local("v128")];
    const v128s = [local("v128"), local("v128"), local("v128"), local("v128")] as const;
    const [s0, s1, p0, p1] = v128s;
    const [s, p] = [local("f64"), local("f64")];
    const overPixels = (...body: Code[]): Code => [
      ...from.set(a.get),
      ...with_.set(b.get),
      ...left.set(pixels.get),
      ...loopWhile(
        left.get,
        ...body,
        advance(from, stride.get),
        advance(with_, stride.get),
        advance(left, -1),
      ),
    ];
    return [
      stride.set(i32.shl(channels.get, i32.const(2))),
      loopWhile(
        i32.lessThan(i32.const(3), channels.get),
        s0.set(f64x2.load(sums.get)),
        s1.set(f64x2.load(sums.get, 16)),
        p0.set(f64x2.load(products.get)),
        p1.set(f64x2.load(products.get, 16)),
        overPixels(
          low.set(f64x2.loadPromoted(from.get)),
          high.set(f64x2.loadPromoted(from.get, 8)),
          s0.set(f64x2.add(s0.get, low.get)),
          s1.set(f64x2.add(s1.get, high.get)),
          p0.set(f64x2.add(p0.get, f64x2.mul(low.get, f64x2.loadPromoted(with_.get)))),
          p1.set(f64x2.add(p1.get, f64x2.mul(high.get, f64x2.loadPromoted(with_.get, 8)))),
        ),
        f64x2.store(sums.get, s0.get),
        f64x2.store(sums.get, s1.get, 16),
        f64x2.store(products.get, p0.get),
        f64x2.store(products.get, p1.get, 16),
        ...[a, b].map((v) => advance(v, 16)),
        ...[sums, products].map((v) => advance(v, 32)),
        advance(channels, -4),
      ),
      loopWhile(
        channels.get,
        s.set(f64.load(sums.get)),
        p.set(f64.load(products.get)),
        overPixels(
          s.set(f64.add(s.get, f64.promote(f32.load(from.get)))),
          p.set(
            f64.add(
              p.get,
              f64.mul(f64.promote(f32.load(from.get)), f64.promote(f32.load(with_.get))),
            ),
          ),
        ),
        f64.store(sums.get, s.get),
        f64.store(products.get, p.get),
        ...[a, b].map((v) => advance(v, 4)),
        ...[sums, products].map((v) => advance(v, 8)),
        advance(channels, -1),
      ),
    ];
  });

  define("normalize", ({ param, local }) => {
    const [x, y, mean, gain, offset, pixels, channels] = params(param, 7);
    return forEachPixel(local, pixels, channels, [x, y], [mean, gain, offset], (lanes, m, g, o) => {
      const centred = lanes.sub(lanes.load(x.get), lanes.load(m.get));
      return lanes.store(
        y.get,
        lanes.add(lanes.mul(centred, lanes.load(g.get)), lanes.load(o.get)),
      );
    });
  });

  define("normalizeGrad", ({ param, local }) => {
    const [dy, x, dx, level, gain, mean, slope, pixels, channels] = params(param, 9);
    const perChannel = [level, gain, mean, slope];
    return forEachPixel(local, pixels, channels, [dy, x, dx], perChannel, (lanes, l, g, m, s) => {
      const part = (a: Code, b: Variable, c: Variable): Code =>
        lanes.mul(lanes.sub(lanes.load(a), lanes.load(b.get)), lanes.load(c.get));
      return lanes.store(dx.get, lanes.add(part(dy.get, l, g), part(x.get, m, s)));
    });
  });

  define("nesterov", ({ param }) => {
    const [theta, v, g, count] = params(param, 4);
    const [rate, momentum] = [param("f32"), param("f32")];
    return forEach(count, [theta, v, g], (lanes) => {
      const push = lanes.mul(lanes.splat(rate.get), lanes.load(g.get));
      const moved = lanes.sub(lanes.mul(lanes.splat(momentum.get), lanes.load(v.get)), push);
      return [
        ...lanes.store(v.get, moved),
        ...lanes.store(theta.get, lanes.add(lanes.load(theta.get), moved)),
      ];
    });
  });

  define("adamw", ({ param }) => {
    const [theta, m, v, g, count] = params(param, 5);
    const [beta1, rest1, beta2, rest2, rate, root, epsilon, keep] = params(param, 8, "f32");
    return forEach(count, [theta, m, v, g], (lanes) => {
      const by = (scalar: Variable, a: Code): Code => lanes.mul(lanes.splat(scalar.get), a);
      const square = lanes.mul(lanes.load(g.get), lanes.load(g.get));
      const scaled = lanes.div(lanes.sqrt(lanes.load(v.get)), lanes.splat(root.get));
      const move = lanes.div(
        by(rate, lanes.load(m.get)),
        lanes.add(scaled, lanes.splat(epsilon.get)),
      );
      return [
        ...lanes.store(
          m.get,
          lanes.add(by(beta1, lanes.load(m.get)), by(rest1, lanes.load(g.get))),
        ),
        ...lanes.store(v.get, lanes.add(by(beta2, lanes.load(v.get)), by(rest2, square))),
        ...lanes.store(theta.get, lanes.sub(by(keep, lanes.load(theta.get)), move)),
      ];
    });
  });

  define("approach", ({ param }) => {
    const [a, b, count] = params(param, 3);
    const rate = param("f32");
    return forEach(count, [a, b], (lanes) => {
      const distance = lanes.sub(lanes.load(b.get), lanes.load(a.get));
      const moved = lanes.add(lanes.load(a.get), lanes.mul(distance, lanes.splat(rate.get)));
      return lanes.store(a.get, moved);
    });
  });

  define("copyPixels", (scope) =>
    forEachPixelOf(scope, 1, 1, (lanes, [to], [from]) => lanes.store(to.get, lanes.load(from.get))),
  );

  define("addPixels", (scope) =>
    forEachPixelOf(scope, 1, 1, (lanes, [to], [from]) =>
      lanes.store(to.get, lanes.add(lanes.load(to.get), lanes.load(from.get))),
    ),
  );

  define("passWhereEqual", (scope) =>
    forEachPixelOf(scope, 2, 2, (lanes, [x, dx], [y, dy]) => {
      const passed = lanes.whereEqual(lanes.load(dy.get), lanes.load(x.get), lanes.load(y.get));
      return [
        ...lanes.store(dx.get, lanes.add(lanes.load(dx.get), passed)),
        ...lanes.store(dy.get, lanes.sub(lanes.load(dy.get), passed)),
      ];
    }),
  );

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
  return bytes(memory);
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

/** Parameters of one type; as many as the caller takes. */
function params(param: Scope["param"], count: number, type: "i32" | "f32" = "i32"): Variable[] {
  return Array.from({ length: count }, () => param(type));
}

/** Four elements at a time while there are, then one by one; advances the pointers and counts down. */
function forEach(count: Variable, pointers: Variable[], body: (lanes: Lanes) => Code): Code[] {
  return [f32x4, f32].map((lanes) => {
    const elements = lanes.width / 4;
    return loopWhile(
      i32.lessThan(i32.const(elements - 1), count.get),
      body(lanes),
      ...pointers.map((pointer) => advance(pointer, lanes.width)),
      advance(count, -elements),
    );
  });
}

/** As forEach over pixels x channels, with pointers that start afresh at every pixel. */
function forEachPixel(
  local: Scope["local"],
  pixels: Variable,
  channels: Variable,
  pointers: Variable[],
  perChannel: Variable[],
  body: (lanes: Lanes, ...channel: Variable[]) => Code,
): Code[] {
  const count = local("i32");
  const current = perChannel.map(() => local("i32"));
  return [
    loopWhile(
      pixels.get,
      count.set(channels.get),
      ...current.map((pointer, i) => pointer.set(perChannel[i].get)),
      ...forEach(count, [...pointers, ...current], (lanes) => body(lanes, ...current)),
      advance(pixels, -1),
    ),
  ];
}

/** As forEach over images x rows x columns x channels of two groups of arrays, each group with its own strides. */
function forEachPixelOf(
  { param, local }: Scope,
  inputs: number,
  outputs: number,
  body: (lanes: Lanes, inputs: Variable[], outputs: Variable[]) => Code,
): Code[] {
  const pointers = params(param, inputs + outputs);
  const extents = params(param, 3);
  const strides = [params(param, 3), params(param, 3)];
  const channels = params(param, 1)[0];
  const level = (depth: number, outer: Variable[]): Code[] => {
    const count = depth < 3 ? extents[depth] : channels;
    const left = local("i32");
    const inner = outer.map(() => local("i32"));
    const start = [left.set(count.get), ...inner.map((p, i) => p.set(outer[i].get))];
    if (depth === 3)
      return [
        ...start,
        ...forEach(left, inner, (lanes) =>
          body(lanes, inner.slice(0, inputs), inner.slice(inputs)),
        ),
      ];
    return [
      ...start,
      loopWhile(
        left.get,
        ...level(depth + 1, inner),
        ...inner.map((p, i) => advance(p, strides[i < inputs ? 0 : 1][depth].get)),
        advance(left, -1),
      ),
    ];
  };
  return level(0, pointers);
}
