/** An optional input field with its null gone. */
type Given<T> = { [K in keyof T]: Exclude<T[K], null> };

/** A filter in which null means the same as leaving the field out. */
export function given<T extends object>(input: T | null | undefined): Given<T> {
  return Object.fromEntries(Object.entries(input ?? {}).filter(([, value]) => value !== null)) as Given<T>;
}
