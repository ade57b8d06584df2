/** What one tool's output comes to; `unreadable` says why in words for a person. */
export type Parsed<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'unreadable'; readonly words: string };

export function read<T>(value: T): Parsed<T> {
  return { kind: 'read', value };
}

/** A tool's JSON, or why it is none. */
export function parsedJson(text: string): Parsed<unknown> {
  const trimmed = text.trim();
  if (trimmed === '') return { kind: 'unreadable', words: 'it said nothing' };
  try {
    return read(JSON.parse(trimmed));
  } catch {
    const begun = /^[{[]/.test(trimmed);
    const words = begun
      ? `its answer breaks off after ${trimmed.length} characters: it is not whole JSON`
      : `its answer is no JSON and begins with ${JSON.stringify(trimmed.slice(0, 40))}`;
    return { kind: 'unreadable', words };
  }
}
