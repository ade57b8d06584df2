import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const hasProc = process.platform === 'linux';

/** What tells a process from a later one of the same number: when it began. undefined: it is not alive. */
export async function birthOf(pid: number): Promise<string | undefined> {
  if (!isThere(pid)) return undefined;
  if (!hasProc) return (await ps(pid, 'lstart=')) || undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The command's name, in parentheses, may hold anything: count from its end. Field 3 is the state, 22 the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** The command line of a living process; '' where there is none. */
export async function commandOf(pid: number): Promise<string> {
  if (!isThere(pid)) return '';
  if (!hasProc) return ps(pid, 'command=');
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return line.replaceAll('\0', ' ').trim();
}

/** Whether some process has its working directory there: PostgreSQL's all do, and one may outlive its postmaster. */
export async function anyoneIn(directory: string): Promise<boolean> {
  if (!hasProc) return false;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return places.includes(directory);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function ps(pid: number, column: string): Promise<string> {
  return execute('ps', ['-ww', '-o', column, '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
