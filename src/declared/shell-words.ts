/**
 * One word of a shell line, as far as an address file needs it.
 * `literal`: no variable in it. `default`: `${X:-text}` alone. `alias`: `$X` or `${X}` alone. `other`: a shell would have to compute it.
 */
export type ShellValue =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'default'; readonly text: string }
  | { readonly kind: 'alias' }
  | { readonly kind: 'other' };

export interface Assignment {
  readonly label: string;
  readonly value: ShellValue;
}

export type ShellLine =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'assignments'; readonly assignments: readonly Assignment[] }
  | { readonly kind: 'other'; readonly reason: string };

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;

/** Reads one line the way a shell would split it. What only a shell could run is `other`, with the reason. */
export function shellLine(line: string): ShellLine {
  const words = shellWords(line);
  if (typeof words === 'string') return { kind: 'other', reason: words };
  if (words.length === 0) return { kind: 'nothing' };
  const assigned = words[0] === 'export' ? words.slice(1) : words;
  const assignments: Assignment[] = [];
  for (const word of assigned) {
    const label = ASSIGNMENT.exec(word)?.[1];
    if (label === undefined) return { kind: 'other', reason: 'this is not a line of the form KEY=VALUE' };
    assignments.push({ label, value: shellValue(word.slice(label.length + 1)) });
  }
  if (assignments.length === 0) return { kind: 'other', reason: 'this exports nothing' };
  return { kind: 'assignments', assignments };
}

/** The words of a line with their quotes still on, without a trailing comment or `;`; a sentence where it cannot be split. */
function shellWords(line: string): string[] | string {
  const words: string[] = [];
  let word = '';
  let quote = '';
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote === "'") {
      if (char === "'") quote = '';
      word += char;
    } else if (char === '\\') {
      word += char + line.charAt(++at);
    } else if (char === '"') {
      quote = quote === '' ? char : '';
      word += char;
    } else if (char === "'" && quote === '') {
      quote = char;
      word += char;
    } else if (line.startsWith('${', at)) {
      depth++;
      word += '${';
      at++;
    } else if (char === '}' && depth > 0) {
      depth--;
      word += char;
    } else if (quote !== '' || depth > 0 || !/[\s;#]/.test(char)) {
      word += char;
    } else if (char === '#' && word !== '') {
      word += char;
    } else {
      if (word !== '') words.push(word);
      word = '';
      if (char === '#') break;
    }
  }
  if (quote !== '') return 'a quote is not closed on its line';
  if (depth > 0) return 'a ${ is not closed on its line';
  if (word !== '') words.push(word);
  return words;
}

function shellValue(raw: string): ShellValue {
  // Inside "${X:-…}" a quote may open again.
  const quoted = /^"((?:[^"\\]|\\.)*|\$\{[A-Za-z_]\w*:-.*\})"$/.exec(raw)?.[1];
  const text = quoted ?? raw;
  const single = /^'([^']*)'$/.exec(raw)?.[1];
  if (single !== undefined) return { kind: 'literal', text: single };
  if (/^\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})$/.test(text)) return { kind: 'alias' };
  const fallback = /^\$\{[A-Za-z_]\w*:-(.*)\}$/.exec(text)?.[1];
  if (fallback !== undefined) {
    const inner = shellValue(fallback);
    return inner.kind === 'literal' ? { kind: 'default', text: inner.text } : inner;
  }
  if (/[$`()\\'"]/.test(text)) return { kind: 'other' };
  return { kind: 'literal', text };
}
