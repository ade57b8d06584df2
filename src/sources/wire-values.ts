/** The loose values of the sources' JSON: numbers that come as strings, booleans that come as 0 and 1 or not at all. */

export type WireObject = Readonly<Record<string, unknown>>;

export function wireObject(value: unknown): WireObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as WireObject) : undefined;
}

/** The objects of a list; what is none is left out. undefined when it is no list at all. */
export function wireObjects(value: unknown): readonly WireObject[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((row) => wireObject(row) !== undefined);
}

export function wireText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function wireNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?$/.test(value)) return undefined;
  return Number(value);
}

export function wireInteger(value: unknown): number | undefined {
  const number = wireNumber(value);
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** The booleans of the wire: 0/1 as number or string, true/false, and in Proxmox' property strings also yes/no, on/off. */
export function wireFlag(value: unknown): boolean | undefined {
  switch (typeof value === 'string' ? value.toLowerCase() : value) {
    case true:
    case 1:
    case '1':
    case 'true':
    case 'yes':
    case 'on':
      return true;
    case false:
    case 0:
    case '0':
    case 'false':
    case 'no':
    case 'off':
      return false;
    default:
      return undefined;
  }
}

/** VMIDs are 100 to 999999999 (pve-common's `pve-vmid`). */
export function wireVmid(value: unknown): number | undefined {
  const vmid = wireInteger(value);
  return vmid !== undefined && vmid >= 100 && vmid <= 999_999_999 ? vmid : undefined;
}
