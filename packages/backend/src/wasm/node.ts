/** Whether this is Node, or what passes for it; else it is a page or a worker of one. */
export function isNode(): boolean {
  return typeof process === "object" && process.versions?.node !== undefined;
}
