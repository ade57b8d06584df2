import type { Estate } from './estate.js';
import type { Guest } from './guest.js';
import { spareAddress } from './network-plan.js';
import { placeOf } from './plant.js';
import { below, oneOf, type Random, seeded } from './random.js';

interface Undoing {
  readonly tick: number;
  readonly place: string;
  readonly undo: () => void;
}

/** What may happen to a guest. Gives the way back, or undefined where it does not suit the guest. */
type Happening = (estate: Estate, guest: Guest, random: Random) => (() => void) | undefined;

interface Chance {
  readonly weight: number;
  /** For how many ticks it lasts. */
  readonly from: number;
  readonly to: number;
  readonly happens: Happening;
}

const NEW_VMIDS = 700_000;

const CHANCES: readonly Chance[] = [
  { weight: 5, from: 10, to: 40, happens: migrate },
  { weight: 4, from: 20, to: 90, happens: stop },
  { weight: 3, from: 6, to: 25, happens: rename },
  { weight: 4, from: 15, to: 50, happens: readdress },
  { weight: 3, from: 3, to: 8, happens: backup },
  { weight: 2, from: 5, to: 20, happens: pause },
  { weight: 2, from: 1, to: 1, happens: reboot },
  { weight: 2, from: 10, to: 40, happens: scratch },
  { weight: 1, from: 10, to: 30, happens: retag },
];

/**
 * Lets an estate live: every few ticks something happens to a guest, and some ticks later it is undone. The same seed
 * lives the same life. Guests that planted drift depends on are left alone, so that it stays what it was.
 */
export class Life {
  readonly #estates: readonly Estate[];
  readonly #busy: Set<string>;
  readonly #random: Random;
  readonly #most: number;
  #undoings: Undoing[] = [];
  #tick = 0;

  constructor(estates: readonly Estate[], untouchable: ReadonlySet<string>, seed: number) {
    this.#estates = estates;
    this.#busy = new Set(untouchable);
    this.#random = seeded(seed, 'life');
    const guests = estates.reduce((sum, estate) => sum + estate.guests().length, 0);
    this.#most = Math.max(1, Math.min(20, Math.floor(guests / 10)));
  }

  tick(ticks = 1): void {
    for (let n = 0; n < ticks; n++) this.#once();
  }

  #once(): void {
    this.#tick += 1;
    const due = this.#undoings.filter(({ tick }) => tick <= this.#tick);
    this.#undoings = this.#undoings.filter(({ tick }) => tick > this.#tick);
    for (const { undo, place } of due) {
      undo();
      this.#busy.delete(place);
    }
    if (this.#undoings.length < this.#most && this.#random() < 0.5) this.#begin();
  }

  #begin(): void {
    const estate = oneOf(this.#random, this.#estates);
    const guest = estate === undefined ? undefined : oneOf(this.#random, estate.guests());
    const chance = weighted(this.#random);
    const lasts = chance.from + below(this.#random, chance.to - chance.from + 1);
    if (estate === undefined || guest === undefined) return;
    const place = placeOf(estate, guest.vmid);
    if (this.#busy.has(place) || !isCalm(guest)) return;
    const undo = chance.happens(estate, guest, this.#random);
    if (undo === undefined) return;
    this.#busy.add(place);
    // Somebody else may have destroyed it meanwhile.
    const ifThere = () => {
      if (estate.has(guest.vmid)) undo();
    };
    this.#undoings.push({ tick: this.#tick + lasts, place, undo: ifThere });
  }
}

function isCalm({ template, power, lock, ha }: Guest): boolean {
  return !template && power === 'running' && lock === null && ha === null;
}

function weighted(random: Random): Chance {
  let left = below(
    random,
    CHANCES.reduce((sum, { weight }) => sum + weight, 0),
  );
  for (const chance of CHANCES) {
    if (left < chance.weight) return chance;
    left -= chance.weight;
  }
  return CHANCES[0] as Chance;
}

function migrate(estate: Estate, guest: Guest, random: Random): (() => void) | undefined {
  const others = estate.nodes().filter(({ name, state }) => name !== guest.node && state === 'online');
  const target = oneOf(random, others);
  if (target === undefined) return undefined;
  estate.migrate(guest.vmid, target.name);
  return () => estate.migrate(guest.vmid, guest.node);
}

function stop(estate: Estate, { vmid }: Guest): () => void {
  estate.stop(vmid);
  return () => estate.start(vmid);
}

function rename(estate: Estate, { vmid, name }: Guest, random: Random): () => void {
  estate.rename(vmid, `${name}-${oneOf(random, ['new', 'tmp', 'v2', 'blue']) ?? 'new'}`);
  return () => estate.rename(vmid, name);
}

function readdress(estate: Estate, { vmid, kind, agent, nics }: Guest, random: Random): (() => void) | undefined {
  const before = nics[0]?.v4;
  const seen = kind === 'lxc' || agent === 'alive';
  if (!seen || before === null || before === undefined || before.by === 'auto') return undefined;
  const address = spareAddress(estate.index, 'life', below(random, 250));
  const isTaken = estate.guests().some((other) => other.nics.some(({ v4 }) => v4?.address === address));
  if (isTaken) return undefined;
  estate.setAddress(vmid, 'net0', `${address}/${before.prefix}`);
  return () => estate.setAddress(vmid, 'net0', `${before.address}/${before.prefix}`);
}

function backup(estate: Estate, { vmid, node }: Guest): () => void {
  estate.lock(vmid, 'backup');
  return () => {
    estate.lock(vmid, null);
    estate.chronicle.task('vzdump', String(vmid), node);
  };
}

function pause(estate: Estate, { vmid, kind }: Guest): (() => void) | undefined {
  if (kind === 'lxc') return undefined;
  estate.pause(vmid);
  return () => estate.resume(vmid);
}

function reboot(estate: Estate, { vmid }: Guest): () => void {
  estate.reboot(vmid);
  return () => {};
}

/** Somebody tries something out: a guest that nobody wrote down, and that is gone again soon. */
function scratch(estate: Estate, guest: Guest, random: Random): (() => void) | undefined {
  const vmid = NEW_VMIDS + below(random, 100);
  if (estate.has(vmid)) return undefined;
  estate.create({ vmid, name: `try-${vmid - NEW_VMIDS}`, kind: guest.kind, node: guest.node, power: 'running' });
  return () => {
    if (estate.has(vmid)) estate.destroy(vmid);
  };
}

function retag(estate: Estate, { vmid, tags }: Guest): () => void {
  estate.setTags(vmid, [...tags, 'changing']);
  return () => estate.setTags(vmid, tags);
}
