/** What Proxmox packs into one text: the `key=value` lists of its configs, and the tags of a guest. */

/** Stored as `a;b`; older interfaces also wrote commas and blanks. */
export function wireTags(value: unknown): readonly string[] {
  return typeof value === 'string' ? value.split(/[;, ]+/).filter((tag) => tag !== '') : [];
}

/** One `key=value` of a property string; the value that stands alone has the key ''. */
export type Property = readonly [key: string, value: string];

export function properties(text: string): readonly Property[] {
  const items: Property[] = [];
  for (const written of text.split(',')) {
    const item = written.trim();
    if (item === '') continue;
    const equals = item.indexOf('=');
    items.push(equals < 0 ? ['', item] : [item.slice(0, equals), item.slice(equals + 1)]);
  }
  return items;
}

export function property(items: readonly Property[], ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    for (const [name, value] of items) if (name === key) return value;
  }
  return undefined;
}
