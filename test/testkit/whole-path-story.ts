/** What happened in a life, a line a step: a shrunk counter-example reads as one. */
export class Story {
  readonly #lines: string[] = [];

  tell(line: string): void {
    this.#lines.push(line);
  }

  /** Fails with all that happened, where a claim does not hold. */
  holds(claim: string, actual: unknown, expected: unknown): void {
    const texts = [actual, expected].map((value) => JSON.stringify(value, plain) ?? 'null');
    if (texts[0] === texts[1]) return;
    const [is, should] = texts.map((text): unknown => JSON.parse(text));
    const found = [...differences(is, should, '')];
    if (found.length > 0) throw new Error([claim, ...found.slice(0, 12), ...this.#lines].join('\n'));
  }
}

/** Where two values part, each place on a line. */
function* differences(is: unknown, should: unknown, at: string): Generator<string> {
  if (isBranch(is) && isBranch(should)) {
    for (const key of new Set([...Object.keys(is), ...Object.keys(should)]))
      yield* differences(is[key], should[key], `${at}.${key}`);
  } else if (JSON.stringify(is) !== JSON.stringify(should))
    yield `  ${at} is ${JSON.stringify(is)}, and should be ${JSON.stringify(should)}`;
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Maps and sets in one order: in which one came to know things is no knowledge. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return [...value].sort(([one], [other]) => (String(one) < String(other) ? -1 : 1));
  return value instanceof Set ? [...value].sort() : value;
}
