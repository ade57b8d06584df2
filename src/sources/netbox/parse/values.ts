import { type WireObject, wireInteger, wireObject, wireText } from '../../wire-values.js';

/**
 * The word of a choice field, `{value: "active", label: "Active"}`, in lower case; null where nothing is chosen.
 * Before NetBox 2.7 the value was a number, and only the label a word.
 */
export function choiceWord(field: unknown): string | null {
  if (typeof field === 'string') return field === '' ? null : field.toLowerCase();
  const choice = wireObject(field);
  if (choice === undefined) return null;
  const word = typeof choice.value === 'string' ? choice.value : choice.label;
  return typeof word === 'string' && word !== '' ? word.toLowerCase() : null;
}

/** The id of an object, or of one that is nested in another. */
export function idOf(object: unknown): number | undefined {
  const id = wireInteger(wireObject(object)?.id);
  return id !== undefined && id > 0 ? id : undefined;
}

/** What a nested object is called; null where there is none. A device may be without a name: it still displays as something. */
export function nameOf(object: unknown): string | null {
  const nested = wireObject(object);
  return nested === undefined ? null : (text(nested.name) ?? text(nested.display));
}

/** A text without the blanks around it; null where it is empty. */
export function text(value: unknown): string | null {
  const written = wireText(value)?.trim();
  return written === undefined || written === '' ? null : written;
}

/** A row of a list, of which at least the id is sure. */
export interface Row {
  readonly id: number;
  readonly fields: WireObject;
}

export function grouped<K, V>(values: readonly V[], keyOf: (value: V) => K): ReadonlyMap<K, readonly V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
