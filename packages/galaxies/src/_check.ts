/** The error of a public function that was given something else: `decode: expected WHAT for bytes but got VALUE`. */
export function expected(caller: string, what: string, name: string, value: unknown): TypeError {
  return new TypeError(`${caller}: expected ${what} for ${name} but got ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name} of ${value.byteLength} bytes`;
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.constructor?.name ?? "bare object"}`;
}
