import { join } from 'node:path';
import { watchPaths } from '../declared/watch.js';

/** Watches the declared files where they lie: another folder while the simulated estate runs. */
export class DeclaredWatch {
  readonly #names: readonly string[];
  readonly #onChange: (name: string) => void;
  #dir: string | undefined;
  #unwatch = () => {};

  constructor(names: readonly string[], onChange: (name: string) => void) {
    this.#names = names;
    this.#onChange = onChange;
  }

  /** The same folder goes on being watched: a change of a moment ago is not forgotten. */
  follow(dir: string): void {
    if (this.#dir === dir) return;
    this.stop();
    this.#dir = dir;
    const byPath = new Map(this.#names.map((name) => [join(dir, name), name]));
    this.#unwatch = watchPaths([...byPath.keys()], (path) => {
      const name = byPath.get(path);
      if (name !== undefined) this.#onChange(name);
    });
  }

  stop(): void {
    this.#unwatch();
    this.#dir = undefined;
  }
}
