import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './open-gateway.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KEY = 'a-key-for-the-tests-only';

/** The product as it is built and started, in a place of its own: another test may be building `dist` meanwhile. */
export interface Product {
  readonly main: string;
  remove(): Promise<void>;
}

export async function buildProduct(): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'sankofa-build-'));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const into = ['--outDir', folder, '--sourceMap', 'false', '--incremental', 'false', '--tsBuildInfoFile', 'null'];
  await promisify(execFile)(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.build.json'), ...into]);
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { main: join(folder, 'src/main.js'), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A gateway that is a process: it may die at any moment, and be started again. */
export interface Replica {
  readonly name: string;
  readonly url: string;
  readonly log: readonly string[];
  graphql<T>(query: string, variables?: object): Promise<T>;
  /** One sample of its metrics by its name and labels as they are written; 0 where it is not there. */
  metric(sample: string): Promise<number>;
  start(): Promise<void>;
  /** Ends it in the middle of whatever it does; resolves once the process is gone. */
  kill(): Promise<void>;
}

/** A gateway goes when its standard input ends: that of a test run that was killed would go on for ever. */
const GOES_WITH_US = 'data:text/javascript,process.stdin.on("close",()=>process.exit()).resume()';

export const SOCKET_PARAMS = { 'x-api-key': KEY };

export function replicaOf(product: Product, name: string, folder: string, more: Record<string, string>): Replica {
  let child: ChildProcess | undefined;
  let url = '';
  const log: string[] = [];
  const env = {
    ...{ PATH: process.env.PATH ?? '', HOME: folder, PORT: '0', DATA_DIR: join(folder, `data-${name}`) },
    ...{ INIT_ADMIN_API_KEY: KEY, LOG_LEVEL: 'info' },
    ...more,
  };
  return {
    name,
    get url() {
      return url;
    },
    log,
    async graphql<T>(query: string, variables: object = {}): Promise<T> {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...SOCKET_PARAMS },
        body: JSON.stringify({ query, variables }),
      });
      const answer = (await response.json()) as { data?: T; errors?: unknown };
      if (answer.data === undefined || answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
      return answer.data;
    },
    async metric(sample) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
      return line === undefined ? 0 : Number(line.slice(sample.length + 1));
    },
    async start() {
      await mkdir(join(folder, `data-${name}`), { recursive: true });
      const args = ['--import', GOES_WITH_US, product.main, 'serve'];
      const started = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
      child = started;
      const mine: string[] = [];
      linesOf(started, (line) => {
        mine.push(line);
        log.push(line);
      });
      url = await eventually(() => {
        if (started.exitCode !== null) throw new Error(`it ended with ${started.exitCode}: ${mine.join('\n')}`);
        const line = mine.find((text) => text.includes('"msg":"listening"'));
        return line === undefined ? undefined : (JSON.parse(line) as { url: string }).url;
      }, 30_000);
    },
    async kill() {
      const ended = child;
      child = undefined;
      if (ended === undefined || ended.exitCode !== null) return;
      const gone = new Promise((resolve) => ended.once('exit', resolve));
      ended.kill('SIGKILL');
      await gone;
    },
  };
}

function linesOf(child: ChildProcess, tell: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.on('data', (chunk) => {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) tell(part);
    });
  }
}
