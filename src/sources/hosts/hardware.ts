import type { Outcome, Progress } from '../../domain/observation.js';
import type { HardwareUpdates, ObservedRecord, RecordKind, ServiceObservation } from '../../domain/record.js';
import type { Instant } from '../../domain/time.js';
import { packageUpdates } from '../hardware/parse/updates.js';
import type { Ask, HostShell } from './client.js';
import { HOST_COMMANDS, type HostCommand } from './commands.js';
import { joinHardware, type Told } from './join.js';
import { dmiSections } from './parse/dmidecode.js';
import { blockDevices } from './parse/lsblk.js';
import { hardwareTree } from './parse/lshw.js';
import { type Parsed, parsedJson, read } from './parse/output.js';
import { smartDevices } from './parse/smartctl.js';
import { askDisks } from './smart.js';

export interface HardwareNeeds {
  readonly shell: HostShell;
  readonly host: string;
  readonly ask: Ask;
  readonly progress: Progress;
  readonly now: () => Instant;
  requests(): number;
}

/** What one tool told, and what a person should know where it told nothing. */
interface Heard<T> {
  readonly told: Told<T>;
  readonly silent: boolean;
  readonly askedAt: Instant;
  readonly words: string | null;
}

// dmidecode, lshw, lsblk, smartctl --scan and the updates; the disks are counted once they are known.
const TOOLS = 5;

/** Reads a host's hardware with whatever tools it has. What one of them cannot say is left out and noted; the others' word stands. */
export async function readHardware(needs: HardwareNeeds): Promise<Outcome<ServiceObservation>> {
  const { shell, host, progress, requests } = needs;
  let done = 0;
  const hear = async <T>(command: HostCommand, parse: (text: string) => Parsed<T>) => {
    const heard = await hearTool(needs, command, parse);
    done += 1;
    progress(done, TOOLS);
    return heard;
  };
  const [tables, tree, disks, scan, updates] = await Promise.all([
    hear(HOST_COMMANDS.tables, dmiSections),
    hear(HOST_COMMANDS.tree, hardwareTree),
    hear(HOST_COMMANDS.disks, blockDevices),
    hear(HOST_COMMANDS.smartDevices, smartDevices),
    hear(HOST_COMMANDS.updates, updatesOf),
  ]);
  const heard = [tables, tree, disks, scan];
  const { askedAt } = tables;
  const silent = heard.every((each) => each.silent);
  const notes = heard.flatMap(({ words }) => words ?? []);
  if (silent || heard.every(({ told }) => told.kind !== 'told')) {
    const why = silent ? (tables.words ?? '') : `no tool could be read: ${notes.join('; ')}`;
    return { kind: 'unreachable', at: askedAt, reason: `${shell.peer}: ${why}`, requests: requests() };
  }

  const foreign = disks.told.kind === 'told' ? disks.told.value.foreign : new Set<string>();
  const devices = scan.told.kind === 'told' ? scan.told.value.filter(({ name }) => !foreign.has(name)) : [];
  const asked = await askDisks(devices, { ...needs, progress: (count, of) => progress(TOOLS + count, TOOLS + of) });
  const smart = scan.told.kind === 'told' ? { kind: 'told' as const, value: asked.disks } : scan.told;
  const joined = joinHardware({ tables: tables.told, tree: tree.told, disks: disks.told, smart });

  const records: ObservedRecord[] = [{ kind: 'hardware', key: host, seenAt: null, body: joined.report }];
  if (joined.health !== undefined)
    records.push({ kind: 'hardware.health', key: host, seenAt: null, body: joined.health });
  if (updates.told.kind === 'told')
    records.push({ kind: 'hardware.updates', key: host, seenAt: null, body: updates.told.value });
  const complete: RecordKind[] = records.map(({ kind }) => kind);
  const noteOfUpdates = updates.told.kind === 'told' || isNoProxmox(updates) ? [] : [updates.words ?? ''];
  const value = { askedAt, records, complete, nodes: [host], notes: [...notes, ...asked.notes, ...noteOfUpdates] };
  return { kind: 'observed', at: askedAt, value, requests: requests() };
}

/** A host without pvesh has no list of updates to be had, and nobody misses it. */
function isNoProxmox({ told, words }: Heard<HardwareUpdates>): boolean {
  return told.kind === 'absent' && words?.includes('not installed') === true;
}

async function hearTool<T>(
  { shell, ask }: HardwareNeeds,
  command: HostCommand,
  parse: (text: string) => Parsed<T>,
): Promise<Heard<T>> {
  const reply = await shell.run(command, ask);
  const { askedAt } = reply;
  const line = [command.tool, ...command.args.slice(0, 2)].join(' ');
  const heard = (told: Told<T>, words: string | null) => ({
    ...{ told, askedAt, silent: reply.kind === 'silent' },
    words: words === null || reply.kind === 'silent' ? words : `\`${line}\`: ${words}`,
  });
  if (reply.kind === 'missing' || reply.kind === 'refused') return heard({ kind: 'absent' }, reply.words);
  if (reply.kind !== 'ran') return heard({ kind: 'failed' }, reply.words);
  const parsed = parse(reply.ran.stdout);
  return parsed.kind === 'read'
    ? heard({ kind: 'told', value: parsed.value }, null)
    : heard({ kind: 'failed' }, parsed.words);
}

function updatesOf(text: string): Parsed<HardwareUpdates> {
  const json = parsedJson(text);
  if (json.kind === 'unreadable') return json;
  const updates = packageUpdates(json.value);
  return updates === undefined ? { kind: 'unreadable', words: 'its answer is no list of packages' } : read(updates);
}
