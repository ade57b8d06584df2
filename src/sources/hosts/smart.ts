import type { Progress } from '../../domain/observation.js';
import { type Instant, MINUTE } from '../../domain/time.js';
import { gate } from '../transport/gate.js';
import type { Ask, HostShell } from './client.js';
import { type SmartDevice, smartReport } from './commands.js';
import type { AskedDisk } from './join.js';
import { notOpened, type SmartReport, smartPath, smartReportOf } from './parse/smartctl.js';

interface Needs {
  readonly shell: HostShell;
  readonly ask: Ask;
  readonly progress: Progress;
  readonly now: () => Instant;
}

/** A disk may sleep or hang: few at a time, so many at most, and no more begun after so long. */
const AT_ONCE = 4;
const MOST = 128;
const NO_LONGER_THAN = 10 * MINUTE;

/** Asks each disk for its SMART report. A disk that does not answer keeps its place, without a report. */
export async function askDisks(
  devices: readonly SmartDevice[],
  { shell, ask, progress, now }: Needs,
): Promise<{ readonly disks: readonly AskedDisk[]; readonly notes: readonly string[] }> {
  const places = gate(AT_ONCE);
  const until = now() + NO_LONGER_THAN;
  const failures: string[] = [];
  const count = { done: 0, of: Math.min(devices.length, MOST) };

  const askOne = async (device: SmartDevice): Promise<AskedDisk> => {
    const leave = await places.enter(ask.signal);
    const path = smartPath(device);
    try {
      const answer = now() > until ? 'there was no time left' : await reportOf(device, shell, ask);
      if (typeof answer === 'string') failures.push(`${path}: ${answer}`);
      else if (answer.words !== null) failures.push(`${path}: ${answer.words}`);
      return { device: device.name, report: typeof answer === 'string' ? undefined : answer };
    } finally {
      leave();
      count.done += 1;
      progress(count.done, count.of);
    }
  };
  const disks = await Promise.all(devices.slice(0, MOST).map(askOne));
  const beyond = devices.slice(MOST).map(({ name }) => ({ device: name, report: undefined }));
  if (beyond.length > 0) failures.push(`${beyond.length} more than the ${MOST} that are asked`);
  return { disks: [...disks, ...beyond], notes: noteOf(failures) };
}

async function reportOf(device: SmartDevice, shell: HostShell, ask: Ask): Promise<SmartReport | string> {
  const reply = await shell.run(smartReport(device), ask);
  // What sudo does not allow it will not allow next time: that is what there is to know of this disk.
  if (reply.kind === 'refused' || reply.kind === 'missing') return notOpened(device, reply.words);
  if (reply.kind !== 'ran') return reply.words;
  const parsed = smartReportOf(device, reply.ran.stdout);
  return parsed.kind === 'read' ? parsed.value : parsed.words;
}

/** One note for all disks, with the first reason in full. */
function noteOf(failures: readonly string[]): readonly string[] {
  const [first, ...rest] = [...failures].sort();
  if (first === undefined) return [];
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  return [`the SMART report of a disk could not be read: ${first}${more}`];
}
