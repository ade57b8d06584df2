import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileMark } from './read-settled.js';

export interface WatchOptions {
  readonly intervalMs?: number;
  readonly settleMs?: number;
}

interface Watched {
  readonly path: string;
  /** The mark last told, or the one at the start. */
  told: string;
  /** A mark that differs from it, and for how many looks it has stood still. */
  seen: string;
  stillFor: number;
}

/**
 * Tells of each path whose content came, changed or went, once it has stood still for `settleMs`. Returns the way to stop.
 * It looks at the files instead of asking the kernel for events: these are lost on network shares, on atomic renames
 * and where a link's target is switched, as Kubernetes does for mounted settings.
 */
export function watchPaths(
  paths: readonly string[],
  onChange: (path: string) => void,
  { intervalMs = 250, settleMs = 200 }: WatchOptions = {},
): () => void {
  const looksToSettle = Math.max(1, Math.ceil(settleMs / intervalMs));
  const watched = paths.map((path): Watched => {
    const mark = markNow(path);
    return { path, told: mark, seen: mark, stillFor: 0 };
  });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    // All at once: a share that hangs must not hide what changes elsewhere.
    await Promise.all(
      watched.map(async (file) => {
        const mark = await markOf(file.path);
        if (!stopped && settles(file, mark, looksToSettle)) onChange(file.path);
      }),
    );
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => void look().finally(schedule), intervalMs);
    timer.unref();
  };
  schedule();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Takes a new mark into account; true at the look at which a change has settled. */
function settles(file: Watched, mark: string, looksToSettle: number): boolean {
  file.stillFor = mark === file.seen ? file.stillFor + 1 : 0;
  file.seen = mark;
  if (mark === file.told || file.stillFor < looksToSettle) return false;
  file.told = mark;
  return true;
}

/** The first look waits: what changes after `watchPaths` has returned must not be missed. */
function markNow(path: string): string {
  try {
    return fileMark(statSync(path, { bigint: true }));
  } catch (cause) {
    return absentMark(cause);
  }
}

async function markOf(path: string): Promise<string> {
  try {
    return fileMark(await stat(path, { bigint: true }));
  } catch (cause) {
    return absentMark(cause);
  }
}

function absentMark(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
}
