import { createHash } from 'node:crypto';
import { type WireObject, wireObject, wireObjects, wireText, wireVmid } from '../../wire-values.js';

/** Which guests the tasks and the log name since the last look. `mark` is what to hand in at the next one. */
export interface Activity {
  readonly mark: string | null;
  readonly touched: ReadonlySet<number>;
}

interface Entry {
  readonly digest: string;
  readonly vmid: number | undefined;
}

interface Mark {
  readonly tasks: readonly string[];
  readonly log: readonly string[];
  /** Guests whose edit was seen in the log: named once more at the next look. */
  readonly again: readonly number[];
}

const NO_MARK: Mark = { tasks: [], log: [], again: [] };

// Looking at a guest's screen changes nothing of it.
const CONSOLE_TASKS = new Set(['vncproxy', 'spiceproxy', 'termproxy']);

/**
 * New are the entries that the last mark does not hold: nodes' clocks differ, so no time is compared.
 * A task counts when it appears and again when it has ended. An edit is written to the log just before it is done
 * (qemu-server's update_vm), so a read at once may still find the old config: its guest counts at the next look too.
 * What could not be read (undefined) leaves its entries in the mark.
 */
export function activitySince(before: string | null, tasks: unknown, log: unknown): Activity {
  const mark = readMark(before);
  const taskEntries = wireObjects(tasks)?.map(taskEntry);
  const logEntries = wireObjects(log)?.map(logEntry);
  const seen = new Set([...mark.tasks, ...mark.log]);
  const fresh = (entries: readonly Entry[] | undefined) =>
    (entries ?? []).flatMap(({ digest, vmid }) => (vmid === undefined || seen.has(digest) ? [] : [vmid]));
  const edited = fresh(logEntries);
  const next: Mark = {
    tasks: digests(taskEntries) ?? mark.tasks,
    log: digests(logEntries) ?? mark.log,
    again: [...new Set(edited)],
  };
  const isEmpty = next.tasks.length + next.log.length === 0;
  return {
    mark: isEmpty && before === null ? null : JSON.stringify(next),
    touched: new Set([...fresh(taskEntries), ...edited, ...mark.again]),
  };
}

/** Only entries that name a guest are remembered; the others would be kept for nothing. */
function digests(entries: readonly Entry[] | undefined): readonly string[] | undefined {
  return entries?.filter(({ vmid }) => vmid !== undefined).map(({ digest }) => digest);
}

function taskEntry(row: WireObject): Entry {
  const ended = row.endtime === undefined && row.status === undefined ? 'runs' : 'ended';
  const vmid = CONSOLE_TASKS.has(wireText(row.type) ?? '') ? undefined : wireVmid(row.id);
  return { digest: digest(`${wireText(row.upid) ?? ''} ${ended}`), vmid };
}

/** `update VM 101: -name web` and `update CT 101: resize …` are what edits write; a task's lines carry its UPID. */
function logEntry(row: WireObject): Entry {
  const words = wireText(row.msg) ?? '';
  const edited = /\bupdate (?:VM|CT) (\d+):/.exec(words)?.[1];
  const task = /\bUPID:[^:]+:[^:]+:[^:]+:[^:]+:([^:]+):(\d+):/.exec(words);
  const ran = task !== null && !CONSOLE_TASKS.has(task[1] ?? '') ? task[2] : undefined;
  const identity = [row.node, row.uid, row.pid, row.time, words].map((part) => wireText(part) ?? '').join(' ');
  return { digest: digest(identity), vmid: wireVmid(edited ?? ran) };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 8);
}

function readMark(text: string | null): Mark {
  if (text === null) return NO_MARK;
  try {
    const mark = wireObject(JSON.parse(text));
    const again = Array.isArray(mark?.again) ? mark.again.map(wireVmid).filter((vmid) => vmid !== undefined) : [];
    return { tasks: texts(mark?.tasks), log: texts(mark?.log), again };
  } catch {
    return NO_MARK;
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
