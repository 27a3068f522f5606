// A small WebAssembly assembler: as much as routines.ts needs. An expression is the bytes that
// push its value; a statement is the bytes that do something. https://webassembly.github.io/spec/core/binary
/** Bytes of WebAssembly. */
export type Code = readonly number[];
type Type = "i32" | "f32" | "f64" | "v128";
const TYPES = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const VOID = 0x40;
const END = 0x0b;

/** A parameter or local variable: used as an expression it is its value. */
export interface Variable {
  readonly get: Code;
  set(value: Code): Code;
}

/** Where a function gets its parameters, in the order of the calls, and its local variables. */
export interface Scope {
  param(type: Type): Variable;
  local(type: Type): Variable;
}

interface Func {
  name: string;
  params: Type[];
  locals: Type[];
  body: Code;
}

const unsigned = (n: number): number[] =>
  n < 128 ? [n] : [(n & 127) | 128, ...unsigned(Math.floor(n / 128))];
const signed = (n: number): number[] =>
  n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)];

type Unary = (a: Code) => Code;
type Binary = (a: Code, b: Code) => Code;
type Load = (address: Code, offset?: number) => Code;
type Store = (address: Code, value: Code, offset?: number) => Code;

const unary =
  (...op: number[]): Unary =>
  (a) => [...a, ...op];
const binary =
  (...op: number[]): Binary =>
  (a, b) => [...a, ...b, ...op];
const load =
  (...op: number[]): Load =>
  (address, offset = 0) => [...address, ...op, 0, ...unsigned(offset)];
const store =
  (...op: number[]): Store =>
  (address, value, offset = 0) => [...address, ...value, ...op, 0, ...unsigned(offset)];
const SIMD_CONST = 0x0c;
const simd = (op: number): number[] => [0xfd, ...unsigned(op)];
const F32_ZERO: Code = [0x43, 0, 0, 0, 0];
const ZERO: Code = [...simd(SIMD_CONST), ...new Array<number>(16).fill(0)];

/** Arithmetic on one float32 or on four: a loop and its remainder are written once for both. */
export interface Lanes {
  /** Bytes. */
  width: number;
  load: Load;
  store: Store;
  /** One float32 in every lane. */
  splat: Unary;
  loadSplat: Load;
  /** a where b > 0, else 0. */
  wherePositive: Binary;
  /** a where b = c, else 0. */
  whereEqual(a: Code, b: Code, c: Code): Code;
  sqrt: Unary;
  add: Binary;
  sub: Binary;
  mul: Binary;
  div: Binary;
}

/** Integers: addresses and counts. */
export const i32: {
  const(n: number): Code;
  load: Load;
  add: Binary;
  sub: Binary;
  shl: Binary;
  mul: Binary;
  lessThan: Binary;
  eqz: Unary;
} = {
  const: (n) => [0x41, ...signed(n)],
  load: load(0x28),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  shl: binary(0x74),
  lessThan: binary(0x48),
  eqz: unary(0x45),
};
/** One float32; the same operations as f32x4, so that a loop's remainder is written once. */
export const f32: Lanes = {
  width: 4,
  load: load(0x2a),
  store: store(0x38),
  splat: (a) => a,
  loadSplat: load(0x2a),
  // select (a, 0, b > 0)
  wherePositive: (a, b) => [...a, ...F32_ZERO, ...b, ...F32_ZERO, 0x5e, 0x1b],
  whereEqual: (a, b, c) => [...a, ...F32_ZERO, ...b, ...c, 0x5b, 0x1b],
  sqrt: unary(0x91),
  add: binary(0x92),
  sub: binary(0x93),
  mul: binary(0x94),
  div: binary(0x95),
};
/** One float64. */
export const f64: { load: Load; store: Store; promote: Unary; add: Binary; mul: Binary } = {
  load: load(0x2b),
  store: store(0x39),
  promote: unary(0xbb),
  add: binary(0xa0),
  mul: binary(0xa2),
};
/** Four float32. */
export const f32x4: Lanes = {
  width: 16,
  load: load(...simd(0x00)),
  store: store(...simd(0x0b)),
  loadSplat: load(...simd(0x09)),
  splat: unary(...simd(0x13)),
  wherePositive: (a, b) => [...a, ...b, ...ZERO, ...simd(0x44), ...simd(0x4e)],
  whereEqual: (a, b, c) => [...a, ...b, ...c, ...simd(0x41), ...simd(0x4e)],
  sqrt: unary(...simd(0xe3)),
  add: binary(...simd(0xe4)),
  sub: binary(...simd(0xe5)),
  mul: binary(...simd(0xe6)),
  div: binary(...simd(0xe7)),
};
/** Two float64. */
export const f64x2: { load: Load; store: Store; loadPromoted: Load; add: Binary; mul: Binary } = {
  load: load(...simd(0x00)),
  store: store(...simd(0x0b)),
  /** Two float32 made float64. */
  loadPromoted: (address, offset) => [...load(...simd(0x5d))(address, offset), ...simd(0x5f)],
  add: binary(...simd(0xf0)),
  mul: binary(...simd(0xf2)),
};

/** Runs `body` while `condition` is not zero, tested before each turn. */
export function loopWhile(condition: Code, ...body: Code[]): Code {
  const stop = [...i32.eqz(condition), 0x0d, 1];
  return [0x02, VOID, 0x03, VOID, ...stop, ...body.flat(), 0x0c, 0, END, END];
}

/** Runs `then` if `condition` is not zero. */
export function when(condition: Code, then: Code): Code {
  return [...condition, 0x04, VOID, ...then, END];
}

/** variable = bound where variable is less than it, or with `above` where it is more. */
export function clamp(variable: Variable, bound: Code, above = false): Code {
  const outside = above ? i32.lessThan(bound, variable.get) : i32.lessThan(variable.get, bound);
  return when(outside, variable.set(bound));
}

/** variable += by */
export function advance(variable: Variable, by: number | Code): Code {
  return variable.set(i32.add(variable.get, typeof by === "number" ? i32.const(by) : by));
}

/** Collects functions without results, each defined with the code that calls it, into one module on an imported memory. */
export function assembler(): {
  define(name: string, write: (scope: Scope) => Code[]): (...args: Code[]) => Code;
  bytes(memory: { shared: boolean }): Uint8Array<ArrayBuffer>;
} {
  const functions: Func[] = [];
  return {
    define(name, write) {
      const params: Type[] = [];
      const locals: Type[] = [];
      const variable = (index: number): Variable => ({
        get: [0x20, ...unsigned(index)],
        set: (value) => [...value, 0x21, ...unsigned(index)],
      });
      const scope: Scope = {
        param: (type) => variable(params.push(type) - 1),
        local: (type) => variable(params.length + locals.push(type) - 1),
      };
      const body = write(scope).flat();
      const index = functions.push({ name, params, locals, body }) - 1;
      return (...args) => [...args.flat(), 0x10, ...unsigned(index)];
    },
    bytes: ({ shared }) => moduleBytes(functions, shared),
  };
}

function moduleBytes(functions: Func[], shared: boolean): Uint8Array<ArrayBuffer> {
  const text = (s: string): number[] => [s.length, ...new TextEncoder().encode(s)];
  const list = (items: number[][]): number[] => [...unsigned(items.length), ...items.flat()];
  const section = (id: number, content: number[]): number[] => [
    id,
    ...unsigned(content.length),
    ...content,
  ];
  const types = functions.map(({ params }) => [0x60, ...list(params.map((p) => [TYPES[p]])), 0]);
  const limits = [shared ? 3 : 1, 0, ...unsigned(65536)];
  const bodies = functions.map(({ locals, body }) => {
    const content = [...list(locals.map((type) => [1, TYPES[type]])), ...body, END];
    return [...unsigned(content.length), ...content];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([[...text("env"), ...text("memory"), 2, ...limits]])),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, list(bodies)),
  ]);
}
