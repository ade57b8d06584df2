import type { GuestView, InventoryView } from './view.js';

/** Something that keeps parts of an estate from being read, and whose. */
export interface Trouble {
  readonly cluster: string;
  /** Tells one trouble from another, however many it touches. */
  readonly key: string;
  /** One sentence for a person. */
  readonly text: string;
}

const found = new WeakMap<InventoryView['guests'], readonly Trouble[]>();

/**
 * What of the clusters could not be read when it was last asked, and why: their nodes that are offline, and of their guests
 * one line a reason, however many they are.
 */
export function partTroubles(view: InventoryView): readonly Trouble[] {
  return [...offline(view), ...guestTroubles(view)];
}

function offline({ nodes }: InventoryView): readonly Trouble[] {
  return [...nodes.values()].flatMap(({ id, cluster, name, row }) =>
    row.status === 'OFFLINE'
      ? [
          {
            cluster,
            key: `${id} offline`,
            text: `node ${name} is offline, as its cluster says: what was last known of its guests stays; is it up, and is its network?`,
          },
        ]
      : [],
  );
}

function guestTroubles(view: InventoryView): readonly Trouble[] {
  let troubles = found.get(view.guests);
  if (troubles === undefined) {
    troubles = collect(view);
    found.set(view.guests, troubles);
  }
  return troubles;
}

interface Group {
  readonly cluster: string;
  readonly kind: keyof typeof SENTENCES;
  readonly reason: string;
  readonly guests: GuestView[];
}

const SENTENCES = {
  hidden: (who: string) =>
    `no longer listed, though nothing proves them gone: ${who}; the token may lack VM.Audit on them`,
  config: (who: string, reason: string, nodes: string) =>
    `the config could not be read of ${who}: ${reason}${passedOn(reason, nodes)}`,
  addresses: (who: string, reason: string, nodes: string) =>
    `the addresses could not be read of ${who}: ${reason}${passedOn(reason, nodes)}`,
} as const;

/** Silence names the address that was asked: it may answer all else, and wait for the guests' node itself. */
function passedOn(reason: string, nodes: string): string {
  return /no answer within/.test(reason) ? `; such questions are passed on to the guests' node: is it ${nodes}?` : '';
}

function collect(view: InventoryView): readonly Trouble[] {
  const groups = new Map<string, Group>();
  const add = (guest: GuestView, kind: Group['kind'], reason: string) => {
    const { cluster } = guest;
    const key = `${cluster} ${kind} ${reason}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { cluster, kind, reason, guests: [guest] });
    else group.guests.push(guest);
  };
  for (const guest of view.guests.values()) {
    if (guest.row.hidden) add(guest, 'hidden', '');
    else if (guest.parts.config.state === 'failed') add(guest, 'config', general(guest.parts.config.reason));
    else if (guest.parts.addresses.state === 'failed') add(guest, 'addresses', general(guest.parts.addresses.reason));
  }
  return [...groups].map(([key, { cluster, kind, reason, guests }]) => {
    return { cluster, key, text: SENTENCES[kind](called(guests), reason, nodesOf(guests)) };
  });
}

/** A refusal names the guest that it is about: the reason is one for all of them. */
function general(reason: string | null): string {
  return (reason ?? 'no reason was given').replace(/\/vms\/\d+/g, '/vms/…');
}

const NAMED = 3;

/** `3 guests (main/100, main/101, main/102)`. */
function called(guests: readonly GuestView[]): string {
  const names = guests.slice(0, NAMED).map(({ key }) => key);
  const more = guests.length > NAMED ? ` and ${guests.length - NAMED} more` : '';
  return `${guests.length} ${guests.length === 1 ? 'guest' : 'guests'} (${names.join(', ')}${more})`;
}

/** `pve02`, `pve02, pve03 or pve04`, `one of 12`. */
function nodesOf(guests: readonly GuestView[]): string {
  const names = [...new Set(guests.map(({ row }) => row.node))].sort();
  if (names.length > NAMED) return `one of ${names.length}`;
  const [last = '', ...others] = names.reverse();
  return others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`;
}
