// The code of the functions that Simd describes.
import {
  advance,
  assembler,
  type Code,
  f32,
  f64,
  f64x2,
  i32,
  loopWhile,
  type Variable,
} from "./assembler.ts";
import { forEach, forEachPixel, forEachPixelOf, params } from "./loops.ts";
import { defineOuterProducts } from "./outer-products.ts";

/** The bytes of the module, for a shared memory or one of a single thread. */
export function assemble(memory: { shared: boolean }): Uint8Array<ArrayBuffer> {
  const module = assembler();
  const { define } = module;

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
  defineOuterProducts(module);
  return module.bytes(memory);
}
