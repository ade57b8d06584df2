import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VERBS = ['collection', 'drift', 'inventory', 'feed', 'accounts', 'notifications'] as const;

/**
 * Who may import whom: this table is the architecture. Every room may import `domain` and `telemetry.ts`, upward never.
 * Change it in the same commit as the import that needs it, or neither.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  'telemetry.ts': [],
  sources: [],
  declared: [],
  store: ['migrations'],
  auth: [],
  simulator: [],
  collection: ['sources', 'declared', 'store'],
  drift: ['store'],
  inventory: ['store'],
  feed: ['store'],
  accounts: ['store'],
  notifications: ['store'],
  graphql: [...VERBS, 'auth'],
  rest: [...VERBS, 'auth'],
  server: ['graphql', 'rest', 'auth'],
  'config.ts': [],
  'app.ts': ['*'],
  app: ['*'],
  'main.ts': ['app.ts', 'app', 'config.ts'],
  migrations: [],
};
/** Packages that belong to one room each: elsewhere they would let the room's business leak out. */
const KEPT_IN: Readonly<Record<string, readonly string[]>> = {
  typeorm: ['store', 'migrations'],
  pg: ['store'],
  'pg-copy-streams': ['store'],
  undici: ['sources'],
  fastify: ['server'],
  ws: ['server', 'graphql'],
  'type-graphql': ['graphql'],
  '@apollo/server': ['graphql'],
  'graphql-jit': ['graphql'],
  'node-cron': ['collection'],
  commander: ['main.ts'],
  nodemailer: ['notifications'],
  '@redis/client': ['notifications'],
};
const FOLDERS_NEVER = ['utils', 'helpers', 'common', 'types', 'models'];

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** `src/graphql/edges.ts` → `graphql`; `src/app.ts` → `app.ts`; `migrations/…` → `migrations`. */
function roomOf(file: string): string {
  const [top = '', second = ''] = relative(ROOT, file).split('/');
  return top === 'src' ? second : top;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => ({
    file: relative(ROOT, file),
    room: roomOf(file),
    target: match[1] ?? match[2] ?? match[3] ?? '',
  }));
}

const FILES = [...filesBelow(join(ROOT, 'src')), ...filesBelow(join(ROOT, 'migrations'))];
const IMPORTS = FILES.flatMap(importsOf);

function targetRoom({ file, target }: Import): string | undefined {
  return target.startsWith('.') ? roomOf(resolve(ROOT, dirname(file), target.replace(/\.js$/, '.ts'))) : undefined;
}

function isAllowed(from: string, to: string): boolean {
  if (from === to) return true;
  if (to === 'domain' || to === 'telemetry.ts') return from !== 'migrations' && from !== 'domain';
  const allowed = MAY_IMPORT[from] ?? [];
  return allowed.includes(to) || allowed.includes('*');
}

describe('the house', () => {
  it('has no room that the table does not know', () => {
    expect([...new Set(FILES.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it('lets a room import only what stands below it', () => {
    const wrong = IMPORTS.filter((one) => {
      const to = targetRoom(one);
      return to !== undefined && !isAllowed(one.room, to);
    });
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('keeps packages in their rooms', () => {
    const wrong = IMPORTS.filter(({ room, target }) => {
      const rooms =
        KEPT_IN[
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/')
        ];
      return rooms !== undefined && !rooms.includes(room);
    });
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('keeps the domain pure: no I/O, no clock, no environment', () => {
    const impure = /\bDate\.now\(|\bnew Date\(\)|process\.|from 'node:(?!crypto')|\bconsole\.|performance\./;
    const wrong = FILES.filter((file) => roomOf(file) === 'domain' && impure.test(readFileSync(file, 'utf8')));
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  it('reads the environment in config.ts only', () => {
    const wrong = FILES.filter(
      (file) => roomOf(file) !== 'config.ts' && /process\.env\b/.test(readFileSync(file, 'utf8')),
    );
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  it('reads the clock in the composition root only', () => {
    const clock = /\bDate\.now\(|\bnew Date\(\)/;
    const wrong = FILES.filter(
      (file) => !['app.ts', 'app'].includes(roomOf(file)) && clock.test(readFileSync(file, 'utf8')),
    );
    expect(wrong.map((file) => relative(ROOT, file))).toEqual([]);
  });

  it('has no barrels, no default exports and no folder without a subject', () => {
    const barrels = FILES.filter((file) => /(^|\/)index\.ts$/.test(file));
    const defaults = FILES.filter((file) => /(^|\n)export default\b/.test(readFileSync(file, 'utf8')));
    const vague = FILES.filter((file) =>
      relative(ROOT, file)
        .split('/')
        .some((part) => FOLDERS_NEVER.includes(part)),
    );
    expect([...barrels, ...defaults, ...vague].map((file) => relative(ROOT, file))).toEqual([]);
  });
});
