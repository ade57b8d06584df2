import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export type SettledRead =
  | { readonly kind: 'read'; readonly text: string; readonly hash: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

const LARGEST = 8 * 1024 * 1024;
const TRIES = 15;
const PATIENCE_MS = 10_000;

/**
 * Reads a file that has stood still for `settleMs` before the read and did not change under it:
 * an editor that saves in two steps is never read in between. Never throws but when `signal` aborts.
 */
export async function readSettled(path: string, signal: AbortSignal, settleMs = 200): Promise<SettledRead> {
  signal.throwIfAborted();
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const either = AbortSignal.any([signal, patience]);
  try {
    // The operating system's own calls cannot be aborted on a share that hangs: leave them behind.
    return await Promise.race([attempt(path, either, settleMs), rejectedOn(either)]);
  } catch (cause) {
    signal.throwIfAborted();
    if (patience.aborted) return { kind: 'unreadable', reason: `it could not be read within ${PATIENCE_MS / 1000} s` };
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'unreadable', reason: `it cannot be read (${code})` };
  }
}

async function attempt(path: string, signal: AbortSignal, settleMs: number): Promise<SettledRead> {
  let before = await stat(path, { bigint: true });
  for (let tried = 0; tried < TRIES; tried++) {
    if (!before.isFile()) return { kind: 'unreadable', reason: 'it is not a file' };
    if (before.size > LARGEST)
      return { kind: 'unreadable', reason: `it is larger than ${LARGEST / 1024 / 1024} MiB, which is refused` };
    await sleep(settleMs, undefined, { signal });
    const still = await stat(path, { bigint: true });
    if (fileMark(still) === fileMark(before)) {
      const bytes = await readFile(path, { signal });
      const after = await stat(path, { bigint: true });
      if (fileMark(after) === fileMark(still))
        return { kind: 'read', text: bytes.toString('utf8'), hash: createHash('sha256').update(bytes).digest('hex') };
      before = after;
    } else before = still;
  }
  return { kind: 'unreadable', reason: 'it kept changing while it was read' };
}

/** What moves when a file is written, replaced by a rename, reached by another link, or allowed to be read at last. */
export function fileMark({ dev, ino, mode, size, mtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${mode}:${size}:${mtimeNs}`;
}

function rejectedOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
