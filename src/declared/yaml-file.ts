import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';

export type Path = readonly (string | number)[];

/** A settings file as a value, with the way back from a field to its line. */
export interface YamlFile {
  readonly value: unknown;
  /** `file:line` of a field, or of the nearest one above it that is written. */
  locate(path: Path): string;
}

export type YamlRead =
  | { readonly kind: 'read'; readonly file: YamlFile }
  /** `message`: where and what. */
  | { readonly kind: 'unreadable'; readonly location: string; readonly what: string; readonly message: string };

/** Reads YAML 1.2 (and so JSON too). What is no YAML is one message with its line; a key written twice is no YAML. */
export function readYaml(text: string, name: string): YamlRead {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' });
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      return unreadable(`${name}:${Math.max(1, line)}`, `column ${Math.max(1, col)}: ${firstLine(error.message)}`);
    }
    const value: unknown = document.toJS();
    const locate = (path: Path): string => {
      for (let depth = path.length; depth > 0; depth--) {
        const offset = offsetOf(document, path.slice(0, depth));
        if (offset !== undefined) return `${name}:${lines.linePos(offset).line}`;
      }
      return `${name}:1`;
    };
    return { kind: 'read', file: { value, locate } };
  } catch (cause) {
    // Aliases that multiply without bound end here, before they fill the memory.
    return unreadable(`${name}:1`, firstLine(cause instanceof Error ? cause.message : String(cause)));
  }
}

function unreadable(location: string, what: string): YamlRead {
  return { kind: 'unreadable', location, what, message: `${location}: ${what}` };
}

/** Where a field begins: at its key, as its value may only begin lines below. */
function offsetOf(document: Document, path: Path): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined;
  const node: unknown = pair === undefined ? document.getIn(path, true) : pair.key;
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `clusters[0].api.urls[1]`, as messages name a field. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
