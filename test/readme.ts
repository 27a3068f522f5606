import { readFile } from "node:fs/promises";

/** The first JavaScript or TypeScript block of a README: the example that promises to run as pasted. */
export async function readmeExample(readme: URL): Promise<string> {
  const text = await readFile(readme, "utf8");
  const example = /^```(?:js|ts)\n(.*?)^```$/ms.exec(text)?.[1];
  if (example === undefined)
    throw new Error(`${readme.pathname}: expected an example in a js block`);
  return example;
}

/**
 * Runs an example with these modules in place of its imports, so that it sees the sources and needs
 * no build.
 *
 * @returns what it printed, a line each
 */
export async function runExample(
  example: string,
  modules: Record<string, unknown>,
): Promise<string[]> {
  const body = example.replace(
    /^import (?:(\w+)|(\{.*?\})) from "(.*?)";$/gms,
    (_, whole, names, from) =>
      names
        ? `const ${names} = modules["${from}"];`
        : `const ${whole} = modules["${from}"].default ?? modules["${from}"];`,
  );
  const lines: string[] = [];
  const console = { log: (...words: unknown[]) => lines.push(words.join(" ")) };
  const run = new Function("modules", "console", `return (async () => {\n${body}\n})();`);
  await run(modules, console);
  return lines;
}
