import type { Binding } from '../domain/compare/binding.js';
import { bindingOf } from '../domain/compare/rebinding.js';
import type { Finding, FindingId } from '../domain/finding.js';
import { learn, relearn } from '../domain/learn/learn.js';
import type { InventorySettings } from '../domain/settings.js';
import { DAY, type Instant } from '../domain/time.js';
import type { Batch } from '../domain/version.js';
import { emptyView, type FindingsView, type InventoryView } from '../domain/view.js';
import type { Delta, Store } from '../store/store.js';

/** One replica's inventory: the view in memory, built from the store and kept up with it. */
export interface Replica {
  view(): InventoryView;
  /** The declarations tied to the view's guests; the last ones hold as long as nothing that ties them changes. */
  binding(): Binding;
  /** Reads what every replica committed since; several calls at once share one reading. */
  catchUp(): Promise<void>;
  /**
   * Learns a run that this process wrote itself, without reading it back: what it holds is what was committed.
   * `follows`: the run written before it; where that is not known here yet, everything is read from the store.
   */
  learnOwn(batch: Batch, seq: bigint, follows: bigint): Promise<void>;
  /** The findings that were written since the last look, by whom and however silently. */
  catchUpFindings(): Promise<void>;
  /** Learns findings that this process wrote itself under this number. */
  learnFindings(changed: readonly Finding[], comparedAt: Instant, seq: bigint): void;
  compared(at: Instant): void;
  /** The same knowledge under other settings. */
  apply(settings: InventorySettings): void;
  /** Starts again from what the store has: after everything collected was forgotten. */
  reload(): Promise<void>;
  onChange(listener: () => void): () => void;
}

type Shelf = Pick<Store, 'versions' | 'findings' | 'comparisons' | 'now'>;

export async function openReplica(store: Shelf, settings: InventorySettings): Promise<Replica> {
  const replica = new ViewKeeper(store, settings);
  await replica.reload();
  return replica;
}

class ViewKeeper implements Replica {
  readonly #store: Shelf;
  #settings: InventorySettings;
  #view: InventoryView;
  /** Up to which number everything written of findings is known. */
  #findingSeq = 0n;
  /** The last number that this process told itself, which a reading begun earlier may not have seen. */
  #toldSeq = 0n;
  #reading: Promise<void> | undefined;
  #again = false;
  /** Findings are read one reading after the other: an older answer must not come after a newer one. */
  #findingsRead: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<() => void>();

  constructor(store: Shelf, settings: InventorySettings) {
    this.#store = store;
    this.#settings = settings;
    this.#view = emptyView(settings.contract);
  }

  view(): InventoryView {
    return this.#view;
  }

  binding(): Binding {
    return bindingOf(this.#view);
  }

  async reload(): Promise<void> {
    // A reading under way began from what is to be forgotten, and would bring it back.
    while (this.#reading !== undefined) await this.#reading.catch(() => undefined);
    this.#again = false;
    this.#reading = this.#inTurn(() => this.#readAll())
      .then(() => (this.#again ? this.#read() : undefined))
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    const store = this.#store;
    const now = await store.now();
    const [open, removed] = await Promise.all([
      store.versions.open(),
      store.versions.endedSince(now - DAY, 'declared.row'),
    ]);
    // After the versions, so known to reach as far as these: what was written meanwhile is read once more.
    const living = await store.findings.living();
    const ended = removed.filter(({ version }) => open.states.some((state) => state.source === version.source));
    const number = this.#view.number;
    this.#view = learn({ ...emptyView(this.#settings.contract), number }, { ...open, ended }, this.#settings);
    this.#findingSeq = open.seq;
    this.#setFindings(new Map(living.map((finding) => [finding.id, finding])), null);
    this.#tell();
  }

  catchUp(): Promise<void> {
    if (this.#reading !== undefined) {
      // What was committed after the running reading began is not in it.
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async learnOwn(batch: Batch, seq: bigint, follows: bigint): Promise<void> {
    // A reading under way may end before or after this commit: it knows best.
    if (this.#reading !== undefined || follows > this.#view.seq) return this.catchUp();
    // One that ended since the commit has it already, and perhaps what came later: the view never goes back.
    if (seq <= this.#view.seq) return;
    this.#learn(deltaOf(batch, seq, this.#view));
  }

  async #read(): Promise<void> {
    do {
      this.#again = false;
      const delta = await this.#store.versions.since(this.#view.seq);
      this.#learn(delta);
    } while (this.#again);
  }

  #learn(delta: Delta): void {
    const nothing = delta.opened.length + delta.ended.length + delta.reads.length + delta.states.length === 0;
    if (nothing) {
      if (delta.seq > this.#view.seq) this.#view = { ...this.#view, seq: delta.seq };
      return;
    }
    this.#view = learn(this.#view, delta, this.#settings);
    this.#tell();
  }

  catchUpFindings(): Promise<void> {
    return this.#inTurn(() => this.#readChanges());
  }

  #inTurn(read: () => Promise<void>): Promise<void> {
    const mine = this.#findingsRead.then(read);
    this.#findingsRead = mine.catch(() => undefined);
    return mine;
  }

  async #readChanges(): Promise<void> {
    for (;;) {
      const { seq, findings } = await this.#store.findings.changedSince(this.#findingSeq);
      const latest = findings.length === 0 ? undefined : await this.#store.comparisons.latest();
      // What was written here meanwhile is newer than what was read: look again.
      if (seq < this.#toldSeq) continue;
      this.#findingSeq = seq;
      this.#learnFindings(findings, latest?.at ?? this.#view.findings.comparedAt);
      return;
    }
  }

  learnFindings(changed: readonly Finding[], comparedAt: Instant, seq: bigint): void {
    // A reading that reached further has it already, and perhaps what somebody decided after it.
    if (seq <= this.#findingSeq) return;
    if (seq > this.#toldSeq) this.#toldSeq = seq;
    this.#learnFindings(changed, comparedAt);
  }

  #learnFindings(changed: readonly Finding[], comparedAt: Instant | null): void {
    if (changed.length === 0) return;
    const byId = new Map(this.#view.findings.byId);
    for (const finding of changed) {
      if (finding.state === 'RESOLVED') byId.delete(finding.id);
      else byId.set(finding.id, finding);
    }
    this.#setFindings(byId, comparedAt);
  }

  #setFindings(byId: ReadonlyMap<FindingId, Finding>, comparedAt: Instant | null): void {
    const byGuest = new Map<string, Finding[]>();
    for (const finding of byId.values()) {
      for (const guest of finding.guests) {
        const list = byGuest.get(guest);
        if (list === undefined) byGuest.set(guest, [finding]);
        else list.push(finding);
      }
    }
    // Every replica names them in one order, however it came to know them.
    for (const list of byGuest.values()) if (list.length > 1) list.sort((a, b) => (a.id < b.id ? -1 : 1));
    const findings: FindingsView = { number: this.#view.findings.number + 1, byId, byGuest, comparedAt };
    this.#view = { ...this.#view, number: this.#view.number + 1, findings };
  }

  compared(at: Instant): void {
    this.#view = { ...this.#view, findings: { ...this.#view.findings, comparedAt: at } };
  }

  apply(settings: InventorySettings): void {
    this.#settings = settings;
    this.#view = relearn(this.#view, settings);
    this.#tell();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A batch in the shape in which the store hands over what was written. */
function deltaOf({ writes, reads, state }: Batch, seq: bigint, view: InventoryView): Delta {
  const opened = writes.flatMap((write) => (write.op === 'put' ? [write.version] : []));
  const ended = writes.flatMap((write) => {
    if (write.op !== 'end') return [];
    const { key, validTo } = write;
    const body = key.kind === 'declared.row' ? view.declared.get(key.source)?.rows.get(key.key) : null;
    return [{ version: { ...key, body, hash: '', validFrom: validTo, priorReadAt: null }, validTo }];
  });
  return { seq, opened, ended, reads, states: [state] };
}
