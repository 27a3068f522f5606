// Loops of the kernels: over the elements of arrays, four at a time and then one by one, from one description of the body.
import {
  advance,
  type Code,
  f32,
  f32x4,
  i32,
  type Lanes,
  loopWhile,
  type Scope,
  type Variable,
} from "./assembler.ts";

/** Parameters of one type; as many as the caller takes. */
export function params(
  param: Scope["param"],
  count: number,
  type: "i32" | "f32" = "i32",
): Variable[] {
  return Array.from({ length: count }, () => param(type));
}

/** Four elements at a time while there are, then one by one; advances the pointers and counts down. */
export function forEach(
  count: Variable,
  pointers: Variable[],
  body: (lanes: Lanes) => Code,
): Code[] {
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
export function forEachPixel(
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
export function forEachPixelOf(
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
