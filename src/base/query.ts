/**
 * A query with named parameters, as it stands in the configuration, and as the drivers take it.
 *
 *   SELECT hash FROM users WHERE name = :username AND note <> ':x'
 *     -> postgresql   ... name = $1 AND note <> ':x'      values: username
 *     -> mysql        ... name = ?  AND note <> ':x'      values: username
 *     -> sqlite       ... name = ?1 AND note <> ':x'      values: username
 *
 * Values travel apart from the text, always: whatever a client sends is data. What stands in quotes, in a comment or
 * behind a second colon (`::text`) is no parameter.
 */

export interface Query {
  /** The text between the parameters; one more than there are parameters. */
  readonly texts: readonly string[];
  readonly names: readonly string[];
}

export type ParsedQuery = { ok: true; query: Query } | { ok: false; because: string };

/** Quoted text and comments whole, then what may be a parameter, then any other character. */
const token = /'(?:[^'\\]|''|\\[^])*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[^]*?\*\/|\$\d+|::\w+|:[A-Za-z_]\w*|\?|[^]/g;

export function parseQuery(text: string, allowed: readonly string[]): ParsedQuery {
  const texts = [''];
  const names: string[] = [];
  for (const [part] of text.matchAll(token)) {
    if (part === '?' || /^\$\d+$/.test(part)) {
      return bad(`'${part}' has no name; write ${listed(allowed)} in its place`);
    }
    if (!/^:[A-Za-z_]/.test(part)) {
      texts[texts.length - 1] += part;
      continue;
    }
    const name = allowed.find(each => each === part.slice(1));
    if (name === undefined) return bad(`'${part}' is no parameter here; there are ${listed(allowed)}`);
    names.push(name);
    texts.push('');
  }
  return { ok: true, query: { texts, names } };
}

function listed(names: readonly string[]): string {
  return names.map(name => `:${name}`).join(', ');
}

function bad(because: string): ParsedQuery {
  return { ok: false, because };
}

/** The text for a driver; `mark` writes the nth parameter, counted from 1. */
export function textFor({ texts }: Query, mark: (nth: number) => string): string {
  return texts.map((text, i) => (i === 0 ? text : mark(i) + text)).join('');
}
