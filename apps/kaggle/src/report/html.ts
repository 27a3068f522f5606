/** HTML as a tagged template: whatever is put in is escaped, unless it is HTML from here itself. */

export interface Html {
  readonly html: string;
}

export type Child = Html | string | number | false | undefined | readonly Child[];

/** html`<p>${text}</p>`: text and numbers are escaped, lists joined, false and undefined leave nothing. */
export function html(strings: TemplateStringsArray, ...children: Child[]): Html {
  return { html: String.raw({ raw: strings }, ...children.map(render)) };
}

/** Trusted markup, such as a finished drawing. */
export function raw(markup: string): Html {
  return { html: markup };
}

function render(child: Child): string {
  if (child === undefined || child === false) return "";
  if (typeof child === "string") return escapeText(child);
  if (typeof child === "number") return String(child);
  return "html" in child ? child.html : child.map(render).join("");
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
