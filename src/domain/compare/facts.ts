import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { fieldDiffers, fieldRule, toBeAsked } from './field-rule.js';
import { givenName, sameName } from './names.js';
import { agreesOn } from './said.js';
import { idOf } from './telling.js';
import { AGREES, DOUBT, doubt, unsettledUntil, type Verdict, type World } from './world.js';

function isCalled(guest: GuestView, { row }: Row): boolean {
  const name = givenName(guest);
  return name === null || sameName(name, row.name ?? '');
}

function compareName(world: World, guest: GuestView, winner: Row, rows: readonly Row[]): Verdict {
  const observed = givenName(guest);
  const declared = winner.row.name ?? '';
  if (guest.row.sparse || !world.coverage.quorate(guest.cluster)) return DOUBT;
  if (observed === null) return AGREES;
  const asks = toBeAsked(world, guest, [guest.row.since.name]);
  if (sameName(observed, declared)) return agreesOn(world, idOf('NAME_DIFFERS', guest.id, 'name'), asks);
  if (asks.length > 0) return doubt(asks);
  const observedIsDeclared = rows.some(({ row }) => row.name !== null && sameName(row.name, observed));
  const text = `named ${observed}`;
  return fieldDiffers(world, guest, rows, {
    kind: 'NAME_DIFFERS',
    field: 'name',
    declared,
    observed,
    observedIsDeclared,
    changed: guest.row.since.name,
    text,
  });
}

export const nameDiffers = fieldRule('NAME_DIFFERS', 'name', {
  agrees: ({ guest }, _, winner) => isCalled(guest, winner),
  compared: compareName,
});

function isUnderHa({ row }: GuestView): boolean {
  return row.ha !== null && row.ha !== 'ignored';
}

/** Under HA the manager places the guest; a declared node that is down or in maintenance cannot have it. */
function compareNode(world: World, guest: GuestView, winner: Row, rows: readonly Row[]): Verdict {
  const declared = world.binding.nodes.in(guest.cluster, winner.row.node ?? '');
  if (declared === undefined || !world.coverage.quorate(guest.cluster)) return DOUBT;
  const observed = guest.row.node;
  const asks = toBeAsked(world, guest, [guest.row.since.node]);
  if (declared.name === observed) return agreesOn(world, idOf('NODE_DIFFERS', guest.id, 'node'), asks);
  if (isUnderHa(guest)) return AGREES;
  if (declared.row.status !== 'ONLINE' || declared.row.maintenance) return DOUBT;
  const settles = unsettledUntil(
    world,
    [guest.row.since.node, winner.row.since, declared.row.since],
    world.policy.settle.node,
  );
  if (settles !== null || asks.length > 0) return doubt(asks, settles);
  const observedIsDeclared = rows.some(
    ({ row }) => world.binding.nodes.in(guest.cluster, row.node ?? '')?.name === observed,
  );
  const text = `on node ${observed}`;
  return fieldDiffers(world, guest, rows, {
    kind: 'NODE_DIFFERS',
    field: 'node',
    declared: declared.name,
    observed,
    observedIsDeclared,
    changed: guest.row.since.node,
    text,
  });
}

export const nodeDiffers = fieldRule('NODE_DIFFERS', 'node', {
  agrees: ({ guest }, nodes, winner) => {
    const declared = nodes.in(guest.cluster, winner.row.node ?? '');
    return declared === undefined || declared.name === guest.row.node || isUnderHa(guest);
  },
  compared: compareNode,
});
