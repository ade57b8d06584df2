import type { HardwareUpdates } from '../../../domain/record.js';
import { wireObjects, wireText } from '../../wire-values.js';
import { byText } from '../part-list.js';

/** `/nodes/{node}/apt/update`, over the API or from pvesh; undefined when it is no list. Rows without a name or version are left out. */
export function packageUpdates(content: unknown): HardwareUpdates | undefined {
  // pvesh prints nothing for an empty answer.
  const rows = wireObjects(content ?? []);
  if (rows === undefined) return undefined;
  const packages = rows.flatMap((row) => {
    const [name, available] = [wireText(row.Package), wireText(row.Version)];
    if (name === undefined || available === undefined) return [];
    return [{ name, installed: wireText(row.OldVersion) ?? null, available, origin: wireText(row.Origin) ?? null }];
  });
  return { packages: packages.sort((a, b) => byText(a.name, b.name) || byText(a.available, b.available)) };
}
