import { join } from 'node:path';
import type { Config } from '../config.js';
import { readContract } from '../declared/contract-file.js';
import { readSources, type SourcesRead } from '../declared/sources-file.js';
import { watchPaths } from '../declared/watch.js';
import type { CollectorContract } from '../domain/contract.js';
import type { Logger } from '../telemetry.js';

/** What the settings files of this replica say now; the policy is all replicas' and comes from the store. `sources` undefined: there is none. */
export interface Settings {
  readonly sources: Extract<SourcesRead, { kind: 'read' }> | undefined;
  readonly contract: CollectorContract;
}

/** The settings cannot be used and nothing older may stand in for them. main.ts prints the lines and exits with 2. */
export class SettingsError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the settings are not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** Reads the settings files and tells of what is wrong in them. */
export class SettingsFiles {
  readonly #config: Config;
  readonly #log: Logger;
  #current: Settings | undefined;
  #changed = false;
  #onChange = () => {};
  #unwatch = () => {};

  constructor(config: Config, log: Logger) {
    this.#config = config;
    this.#log = log;
  }

  /** Throws SettingsError where a file that is there cannot be used and nothing older is known. */
  async read(): Promise<Settings> {
    // Watched from before they are read: an edit meanwhile would be seen by nobody.
    this.#watch(await this.#named());
    const sources = await this.#sources();
    const contract = await readContract(this.#config.configDir);
    for (const problem of contract.problems) this.#log.warn({ at: problem.location }, problem.message);
    this.#current = { sources, contract: contract.contract };
    return this.#current;
  }

  /** The files that sources.yaml names: a CA, a secret. */
  async #named(): Promise<readonly string[]> {
    const read = await readSources(this.#config.configDir, { secret: this.#config.secret });
    return read.kind === 'read' ? read.files : (this.#current?.sources?.files ?? []);
  }

  async #sources(): Promise<Settings['sources']> {
    const read = await readSources(this.#config.configDir, { secret: this.#config.secret });
    switch (read.kind) {
      case 'absent':
        if (this.#current?.sources !== undefined) {
          this.#log.error('sources.yaml is gone: nothing retires, its clusters are out of reach until it is back');
        }
        return undefined;
      case 'unreadable':
        if (this.#current === undefined) throw new SettingsError([read.message]);
        this.#log.error(`${read.message}; the settings that were read before stay in force`);
        return this.#current.sources;
      case 'read':
        for (const { location, message } of read.problems) this.#log.error({ at: location }, message);
        for (const warning of read.settings.warnings) this.#log.warn(warning);
        return read;
    }
  }

  #watch(named: readonly string[]): void {
    const { configDir } = this.#config;
    const files = ['sources.yaml', 'it-operations/live-collectors-contract.json'].map((name) => join(configDir, name));
    this.#unwatch();
    this.#unwatch = watchPaths([...files, ...named], () => {
      this.#changed = true;
      this.#onChange();
    });
  }

  /** Calls back after a settings file, or a file that one names, changed; at once where one did since the first reading. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
    if (this.#changed) onChange();
  }

  stop(): void {
    this.#onChange = () => {};
    this.#unwatch();
  }
}
