import { declaredSourceName } from '../domain/absorb-declared.js';

/** Which declared files were looked at since this process began, by it or by the replica that reads them. */
export class DeclaredLooks {
  readonly #files: readonly string[];
  readonly #seen = new Set<string>();

  constructor(files: readonly string[]) {
    this.#files = files.map(declaredSourceName);
  }

  /** Whether this was the first look at a declared source. */
  saw(source: string): boolean {
    if (!this.#files.includes(source) || this.#seen.has(source)) return false;
    this.#seen.add(source);
    return true;
  }

  /** A file may say more than is known of it until it was looked at. Those switched off say nothing. */
  allSeen(off: readonly string[]): boolean {
    const silent = off.map(declaredSourceName);
    return this.#files.every((source) => this.#seen.has(source) || silent.includes(source));
  }

  /** What was switched off may have been edited meanwhile. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#seen.delete(declaredSourceName(name));
  }
}
