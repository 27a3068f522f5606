/** Sets of items that merge (union-find), each with the sum of its items' values and the list of its items. */
export interface Forest {
  /** Makes an item a set of its own. */
  add(item: number, value: number): void;
  has(item: number): boolean;
  /** The item that stands for the set. */
  find(item: number): number;
  /** Merges the sets that two items stand for; returns who stands for both. */
  join(root: number, other: number): number;
  size(root: number): number;
  sum(root: number): number;
  /**
   * The first item of the set's list. The `size` items from there on by `next` are the set as it is now, even when it
   * has grown since: lists are only ever joined end to end.
   */
  first(root: number): number;
  next(item: number): number;
}

/** A forest for the items 0 ... count-1, none of them added yet. */
export function createForest(count: number): Forest {
  const parent = new Int32Array(count).fill(-1);
  const next = new Int32Array(count).fill(-1);
  const head = new Int32Array(count);
  const tail = new Int32Array(count);
  const size = new Int32Array(count);
  const sum = new Float64Array(count);
  return {
    add(item, value) {
      parent[item] = item;
      head[item] = item;
      tail[item] = item;
      size[item] = 1;
      sum[item] = value;
    },
    has: (item) => parent[item]! >= 0,
    find(item) {
      let root = item;
      while (parent[root] !== root) root = parent[root]!;
      while (parent[item] !== root) {
        const above = parent[item]!;
        parent[item] = root;
        item = above;
      }
      return root;
    },
    join(one, other) {
      const [root, leaf] = size[one]! >= size[other]! ? [one, other] : [other, one];
      parent[leaf] = root;
      next[tail[root]!] = head[leaf]!;
      tail[root] = tail[leaf]!;
      size[root]! += size[leaf]!;
      sum[root]! += sum[leaf]!;
      return root;
    },
    size: (root) => size[root]!,
    sum: (root) => sum[root]!,
    first: (root) => head[root]!,
    next: (item) => next[item]!,
  };
}
