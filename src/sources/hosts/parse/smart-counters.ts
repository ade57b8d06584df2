import { type WireObject, wireNumber, wireObject, wireObjects } from '../../wire-values.js';

/** The counters of SATA disks that tell of damage, by number: names differ from maker to maker. */
const DAMAGE: ReadonlyMap<number, string> = new Map([
  [5, 'reallocated sectors'],
  [197, 'pending sectors'],
  [198, 'offline uncorrectable sectors'],
  [187, 'reported uncorrectable errors'],
  [199, 'CRC errors on the cable'],
]);

/** What the bits of an NVMe disk's critical warning say. */
const WARNINGS = [
  'spare blocks run low',
  'temperature out of range',
  'reliability degraded',
  'read-only',
  'backup of volatile memory failed',
  'persistent memory read-only',
] as const;

/** What explains a verdict, each as `name: value`. Counters that stand at nothing are left out. */
export function smartCounters(answer: WireObject, nvme: WireObject | undefined): readonly string[] {
  return [...ataCounters(answer), ...scsiCounters(answer), ...(nvme === undefined ? [] : nvmeCounters(nvme))];
}

function ataCounters(answer: WireObject): readonly string[] {
  const table = wireObjects(wireObject(answer.ata_smart_attributes)?.table) ?? [];
  return table.flatMap((attribute) => {
    const words = DAMAGE.get(wireNumber(attribute.id) ?? -1);
    const failing = attribute.when_failed === 'now' ? [`below its threshold: ${String(attribute.name)}`] : [];
    return words === undefined ? failing : [...counted(words, rawCount(attribute.raw)), ...failing];
  });
}

/** The raw value as a count: some makers keep other things in its upper bytes, which only the text tells apart. */
function rawCount(raw: unknown): number | undefined {
  const { string, value } = wireObject(raw) ?? {};
  const first = typeof string === 'string' ? /^\d+/.exec(string)?.[0] : undefined;
  return first === undefined ? wireNumber(value) : Number(first);
}

function scsiCounters(answer: WireObject): readonly string[] {
  const log = wireObject(answer.scsi_error_counter_log);
  const uncorrected = (what: string) => wireNumber(wireObject(log?.[what])?.total_uncorrected_errors);
  return [
    ...counted('grown defects', wireNumber(answer.scsi_grown_defect_list)),
    ...['read', 'write', 'verify'].flatMap((what) => counted(`uncorrected ${what} errors`, uncorrected(what))),
  ];
}

function nvmeCounters(nvme: WireObject): readonly string[] {
  const warning = wireNumber(nvme.critical_warning) ?? 0;
  const [spare, least] = [wireNumber(nvme.available_spare), wireNumber(nvme.available_spare_threshold)];
  return [
    ...WARNINGS.filter((_, bit) => (warning & (1 << bit)) !== 0).map((words) => `critical warning: ${words}`),
    ...counted('media errors', wireNumber(nvme.media_errors)),
    ...counted('percentage used', wireNumber(nvme.percentage_used)),
    ...(spare !== undefined && least !== undefined && spare < least ? [`available spare: ${spare} %`] : []),
  ];
}

function counted(words: string, count: number | undefined): readonly string[] {
  return count === undefined || count === 0 ? [] : [`${words}: ${count}`];
}
