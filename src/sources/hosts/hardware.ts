import type { Outcome, Progress } from '../../domain/observation.js';
import type { HardwareUpdates, ObservedRecord, ServiceObservation } from '../../domain/record.js';
import type { Instant } from '../../domain/time.js';
import { packageUpdates } from '../hardware/parse/updates.js';
import type { Ask, HostShell } from './client.js';
import { HOST_COMMANDS, type HostCommand, type SmartDevice } from './commands.js';
import { type AskedDisk, type JoinedHardware, joinHardware, type Told } from './join.js';
import { dmiSections } from './parse/dmidecode.js';
import { type BlockDevices, blockDevices } from './parse/lsblk.js';
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
  /** null: it told all. */
  readonly words: string | null;
  /** The same with the command before it. */
  readonly note: string | null;
}

// dmidecode, lshw, lsblk, smartctl --scan and the updates; the disks are counted once they are known.
const TOOLS = 5;

/** Reads a host's hardware with whatever tools it has. What one of them cannot say is left out and noted; the others' word stands. */
export async function readHardware(needs: HardwareNeeds): Promise<Outcome<ServiceObservation>> {
  const { shell, host, requests } = needs;
  const { tables, tree, disks, scan, updates } = await hearTools(needs);
  const heard = [tables, tree, disks, scan];
  const at = tables.askedAt;
  const notes = heard.flatMap(({ note }) => note ?? []);
  if (heard.every(({ told }) => told.kind !== 'told')) {
    const isSilent = heard.every(({ silent }) => silent);
    const why = isSilent ? (tables.words ?? '') : `no tool could be read: ${notes.join('; ')}`;
    return { kind: 'unreachable', at, reason: `${shell.peer}: ${why}`, requests: requests() };
  }
  const smart = await hearDisks(needs, scan.told, disks.told);
  const joined = joinHardware({ tables: tables.told, tree: tree.told, disks: disks.told, smart: smart.told });
  const records = recordsOf(host, joined, updates.told);
  const noteOfUpdates = isNoProxmox(updates) ? [] : [updates.note].filter((note) => note !== null);
  const value = {
    ...{ askedAt: at, records, complete: records.map(({ kind }) => kind), nodes: [host] },
    notes: [...notes, ...smart.notes, ...noteOfUpdates],
  };
  return { kind: 'observed', at, value, requests: requests() };
}

/** All tools at once: each has its own part of the machine to look at. */
async function hearTools(needs: HardwareNeeds) {
  let done = 0;
  const hear = async <T>(command: HostCommand, parse: (text: string) => Parsed<T>) => {
    const heard = await hearTool(needs, command, parse);
    done += 1;
    needs.progress(done, TOOLS);
    return heard;
  };
  const [tables, tree, disks, scan, updates] = await Promise.all([
    hear(HOST_COMMANDS.tables, dmiSections),
    hear(HOST_COMMANDS.tree, hardwareTree),
    hear(HOST_COMMANDS.disks, blockDevices),
    hear(HOST_COMMANDS.smartDevices, smartDevices),
    hear(HOST_COMMANDS.updates, updatesOf),
  ]);
  return { tables, tree, disks, scan, updates };
}

/** The SMART reports of the disks that were found, but for those that are no hardware of this machine. */
async function hearDisks(
  needs: HardwareNeeds,
  scan: Told<readonly SmartDevice[]>,
  listed: Told<BlockDevices>,
): Promise<{ readonly told: Told<readonly AskedDisk[]>; readonly notes: readonly string[] }> {
  if (scan.kind !== 'told') return { told: scan, notes: [] };
  const devices = scan.value.filter(({ name }) => listed.kind !== 'told' || !listed.value.foreign.has(name));
  const progress: Progress = (count, of) => needs.progress(TOOLS + count, TOOLS + of);
  const asked = await askDisks(devices, { ...needs, progress });
  return { told: { kind: 'told', value: asked.disks }, notes: asked.notes };
}

function recordsOf(
  key: string,
  { report, health }: JoinedHardware,
  updates: Told<HardwareUpdates>,
): readonly ObservedRecord[] {
  const records: ObservedRecord[] = [{ kind: 'hardware', key, seenAt: null, body: report }];
  if (health !== undefined) records.push({ kind: 'hardware.health', key, seenAt: null, body: health });
  if (updates.kind === 'told') records.push({ kind: 'hardware.updates', key, seenAt: null, body: updates.value });
  return records;
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
  const heard = (told: Told<T>, words: string | null) => {
    const note = words === null ? null : `\`${line}\`: ${words}`;
    return { told, askedAt, silent: reply.kind === 'silent', words, note };
  };
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
