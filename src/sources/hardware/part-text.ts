/**
 * What makers leave in a field that nobody filled in, in lower case. Two machines with the same of these have nothing in
 * common, and a board whose serial reads so has none.
 */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  ...['to be filled by o.e.m.', 'to be filled by oem', 'o.e.m.', 'oem', 'default string', 'default', 'not specified'],
  ...['not provided', 'not available', 'not applicable', 'not present', 'not defined', 'n/a', 'na', 'none', 'null'],
  ...['unknown', 'unspecified', 'undefined', 'invalid', 'empty', '[empty]', 'no dimm', 'no module installed'],
  ...['<out of spec>', '<bad index>', 'system manufacturer', 'system product name', 'system version'],
  ...['system serial number', 'base board manufacturer', 'base board product name', 'base board version'],
  ...['base board serial number', 'chassis manufacturer', 'chassis version', 'chassis serial number', 'sku number'],
  ...['serial number', 'part number', '0123456789', '123456789', '1234567890', '12345678'],
]);
/** Counted-through fields of boards whose maker left the firmware's own: `SerNum0`, `Array1_PartNumber0`. */
const NUMBERED = /^(?:(?:array|a)\d+_)?(?:sernum|serialnumber|partnum|partnumber|manufacturer|assettagnum)\d*$/;
/** One sign over and over: `00000000`, `FFFF`, `XXXXXXX`. */
const ONE_SIGN = /^(?:0x)?(?:0+|f{2,}|x{2,})$/;

/** A text that tells a part from another, its blanks put in order; null for none and for placeholders. */
export function partText(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.trim().replace(/\s+/g, ' ');
  const plain = text.toLowerCase();
  if (!/[a-z0-9]/.test(plain)) return null;
  return PLACEHOLDERS.has(plain) || NUMBERED.test(plain) || ONE_SIGN.test(plain) ? null : text;
}

/** A vendor as disks name theirs: `ATA` is how the kernel calls whatever hangs on a SATA cable, and a number no name. */
export function diskVendor(value: unknown): string | null {
  const text = partText(value);
  return text === null || text === 'ATA' || text === 'NVMe' || /^0x[0-9a-f]+$/i.test(text) ? null : text;
}
