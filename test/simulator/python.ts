import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';

const FIXTURES = join(import.meta.dirname, '../fixtures/python');
const run = promisify(execFile);

/** Debian installs its packages for its own Python, which need not be the one on the PATH. */
function pythonWith(module: string): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => {
    try {
      execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a script of the fixtures with these arguments, and gives what it prints as JSON. */
export type Script = (file: string, ...given: readonly string[]) => Promise<unknown>;

/** A group of tests with a Python client: skipped by name without it, failing where all parts are required. */
export function describePython(name: string, module: string, tests: (script: Script) => void): void {
  const python = pythonWith(module);
  const part = `python3-${module}`;
  const script: Script = async (file, ...given) => {
    // Without what else the environment says of proxies, and of certificates to trust instead of those given here.
    const env = { PATH: process.env.PATH ?? '' };
    const { stdout } = await run(python ?? '', ['-W', 'error', join(FIXTURES, file), ...given], { env });
    return JSON.parse(stdout);
  };
  if (python !== undefined) describe(name, () => tests(script));
  else if (process.env.REQUIRE_ALL_PARTS === '1') {
    it(`${name}: needs ${module}`, () => {
      throw new Error(`${module} is missing: install ${part}`);
    });
  } else describe.skip(`${name} (${module} is missing: install ${part})`, () => tests(script));
}
