import {
  type ClusterRow,
  type GuestIdentity,
  type GuestInterfaces,
  type GuestPower,
  type GuestRow,
  guestId,
  guestKey,
  type KeptConfig,
  type NodeRow,
  type VmidRow,
} from '../guest.js';
import { isRecordKind } from '../record.js';
import { FIRST_LOOK } from '../time.js';
import type { Version } from '../version.js';
import { type DeclaredMeta, NEVER_READ, type PolicyText } from '../view.js';
import { type Draft, type DraftGuest, introduce, touchedIn } from './draft.js';
import { forgetRecord, learnRecord } from './service-records.js';

type PartKind = 'guest.config' | 'guest.addresses' | 'guest.power';

export function forget(draft: Draft, version: Version): void {
  if (isRecordKind(version.kind)) {
    forgetRecord(draft, version.kind, version);
    return;
  }
  const key = `${version.cluster}/${version.key}`;
  switch (version.kind) {
    case 'guest':
      if (draft.guestsByKey.get(key)?.incarnation !== version.incarnation) return;
      draft.guestsByKey.delete(key);
      draft.touched.delete(key);
      return;
    case 'guest.config':
    case 'guest.addresses':
    case 'guest.power':
      forgetPart(touchedIn(draft, key, version.incarnation), version.kind);
      return;
    case 'guest.identity':
      draft.identities.delete(key);
      return;
    case 'node':
      draft.nodes.delete(key);
      draft.touchedNodes.add(key);
      return;
    case 'cluster': {
      const cluster = draft.clusters.get(version.cluster);
      if (cluster !== undefined) draft.clusters.set(version.cluster, { ...cluster, row: null });
      return;
    }
    case 'vmid':
      draft.absences.delete(key);
      return;
    case 'declared.meta': {
      const kept = draft.declared.get(version.source);
      if (kept !== undefined) kept.meta = null;
      return;
    }
    // The last good policy never lapses.
    case 'policy':
    case 'declared.row':
      return;
  }
}

function forgetPart(guest: DraftGuest | undefined, kind: PartKind): void {
  if (guest === undefined) return;
  const { config, addresses, power } = guest.changed;
  switch (kind) {
    case 'guest.config':
      guest.config = null;
      guest.configSince = null;
      guest.configChanged = FIRST_LOOK;
      guest.changed = { config: FIRST_LOOK, addresses, power };
      return;
    case 'guest.addresses':
      guest.interfaces = null;
      guest.changed = { config, addresses: FIRST_LOOK, power };
      return;
    case 'guest.power':
      guest.power = null;
      guest.changed = { config, addresses, power: FIRST_LOOK };
      return;
  }
}

export function learnVersion(draft: Draft, version: Version): void {
  if (isRecordKind(version.kind)) {
    learnRecord(draft, version.kind, version);
    return;
  }
  const key = `${version.cluster}/${version.key}`;
  switch (version.kind) {
    case 'guest': {
      const row = version.body as GuestRow;
      const same = touchedIn(draft, key, version.incarnation);
      if (same !== undefined) same.row = row;
      else introduce(draft, newGuest(version, row));
      return;
    }
    case 'guest.config':
    case 'guest.addresses':
    case 'guest.power':
      learnPart(touchedIn(draft, key, version.incarnation), version.kind, version);
      return;
    case 'guest.identity':
      draft.identities.set(key, version.body as GuestIdentity);
      return;
    case 'node': {
      const known = draft.nodes.get(key);
      const row = version.body as NodeRow;
      draft.nodes.set(key, {
        id: key,
        cluster: version.cluster,
        name: version.key,
        power: known?.power ?? NEVER_READ,
        row,
      });
      if (known?.row.status !== row.status) draft.touchedNodes.add(key);
      return;
    }
    case 'cluster': {
      const cluster = draft.clusters.get(version.cluster);
      if (cluster !== undefined) draft.clusters.set(version.cluster, { ...cluster, row: version.body as ClusterRow });
      return;
    }
    case 'vmid':
      draft.absences.set(key, {
        free: (version.body as VmidRow).free,
        since: version.validFrom,
        askedAt: version.validFrom,
      });
      return;
    case 'declared.meta': {
      const kept = draft.declared.get(version.source);
      if (kept !== undefined) kept.meta = version.body as DeclaredMeta;
      return;
    }
    case 'policy':
      if (draft.policy !== null)
        draft.policy = { ...draft.policy, taken: { ...(version.body as PolicyText), since: version.validFrom } };
      return;
    case 'declared.row':
      return;
  }
}

function learnPart(guest: DraftGuest | undefined, kind: PartKind, version: Version): void {
  if (guest === undefined) return;
  const change = { after: version.priorReadAt, before: version.validFrom };
  const { config, addresses, power } = guest.changed;
  switch (kind) {
    case 'guest.config': {
      const body = version.body as KeptConfig;
      guest.config = body;
      guest.configSince = version.validFrom;
      guest.configChanged = version.priorReadAt === null ? FIRST_LOOK : change;
      guest.changed = { config: body.devicesSince, addresses, power };
      return;
    }
    case 'guest.addresses':
      guest.interfaces = version.body as GuestInterfaces;
      guest.changed = { config, addresses: change, power };
      return;
    case 'guest.power':
      guest.power = version.body as GuestPower;
      guest.changed = { config, addresses, power: change };
      return;
  }
}

function newGuest(version: Version, row: GuestRow): DraftGuest {
  const vmid = Number(version.key);
  return {
    id: guestId(version.cluster, vmid, version.incarnation),
    key: guestKey(version.cluster, vmid),
    cluster: version.cluster,
    vmid,
    incarnation: version.incarnation,
    row,
    config: null,
    interfaces: null,
    power: null,
    parts: { config: NEVER_READ, addresses: NEVER_READ },
    changed: { config: FIRST_LOOK, addresses: FIRST_LOOK, power: FIRST_LOOK },
    configSince: null,
    configChanged: FIRST_LOOK,
    status: 'UNKNOWN',
    carried: [],
    firstScope: 'default',
  };
}
