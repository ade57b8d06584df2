import type { DeclaredSize, VmDeclaration } from '../declaration.js';
import type { KeptConfig } from '../guest.js';
import { heldAgainstConfig, vmRows } from './config-word.js';
import { declaredSizeText, sameSize, sizeText } from './sizes.js';
import { guestSubject } from './telling.js';
import { AGREED, AGREES, type Bound, DOUBT, type Rule } from './world.js';

const FIELDS = ['cpus', 'memory', 'disk'] as const;
type Field = (typeof FIELDS)[number];

/** What a VM says of a field, as text, and whether the config says the same. */
interface Said {
  readonly value: string;
  readonly isSo: boolean;
}

function cpus(vm: VmDeclaration, config: KeptConfig): Said | undefined {
  return vm.cpus === null ? undefined : { value: String(vm.cpus), isSo: vm.cpus === config.cpus };
}

function size(declared: DeclaredSize | null, bytes: number | null): Said | undefined {
  if (declared === null) return undefined;
  return { value: declaredSizeText(declared), isSo: bytes !== null && sameSize(bytes, declared) };
}

const READ: Readonly<
  Record<
    Field,
    {
      readonly said: (vm: VmDeclaration, config: KeptConfig) => Said | undefined;
      readonly observed: (config: KeptConfig) => string | null;
      readonly called: string;
    }
  >
> = {
  cpus: {
    said: cpus,
    observed: (config) => (config.cpus === null ? null : String(config.cpus)),
    called: 'the number of CPUs',
  },
  memory: {
    said: (vm, config) => size(vm.memory, config.memoryBytes),
    observed: ({ memoryBytes }) => (memoryBytes === null ? null : sizeText(memoryBytes)),
    called: 'memory',
  },
  disk: {
    said: (vm, config) => size(vm.disk, config.diskBytes),
    observed: ({ diskBytes }) => (diskBytes === null ? null : sizeText(diskBytes)),
    called: 'the size of its disks',
  },
};

/** Whether a declared VM of the guest says something else than its config. */
function differs({ guest, rows }: Bound, field: Field): boolean {
  const { config } = guest;
  return config !== null && rows.some(({ vm }) => vm !== undefined && READ[field].said(vm, config)?.isSo === false);
}

/** CPUs, memory or disks of a guest that are others than in the inventory. A limit that the config does not set is no word. */
export const resourcesDiffer: Rule = {
  kind: 'RESOURCES_DIFFER',

  *candidates(_, restless) {
    // What agrees is no candidate: a finding that lives is judged without.
    for (const bound of restless)
      for (const field of FIELDS) if (differs(bound, field)) yield { subject: guestSubject(bound.guest), field };
  },

  agreement: (bound) => (FIELDS.some((field) => differs(bound, field)) ? undefined : AGREED),

  judge(world, subject, name) {
    const guest = world.view.guests.get(subject.id);
    const field = FIELDS.find((one) => one === name);
    if (guest === undefined || field === undefined) return AGREES;
    const { config } = guest;
    if (config === null) return DOUBT;
    const { said, observed, called } = READ[field];
    const words = vmRows(world.binding.byGuest.get(guest.id) ?? []).flatMap((row) => {
      const word = row.vm === undefined ? undefined : said(row.vm, config);
      return word === undefined ? [] : [{ row, ...word }];
    });
    const changed = guest.configChanged;
    return heldAgainstConfig(world, guest, words, {
      kind: 'RESOURCES_DIFFER',
      field,
      called,
      observed: observed(config),
      changed,
    });
  },
};
