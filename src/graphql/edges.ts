import { type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { DriftFindingState } from '../domain/finding.js';
import { cursorText } from '../feed/cursor.js';
import type { DriftEventRecord, InventoryEventRecord } from '../feed/events.js';
import { DEFAULT_STATES } from '../inventory/findings.js';
import type { PortMapRecord } from '../inventory/port-map.js';
import type {
  AddressCarrier,
  CollectorRecord,
  FindingRecord,
  GuestAddressRecord,
  GuestRecord,
  NodeRecord,
} from '../inventory/records.js';
import type { FindingStep } from '../inventory/verbs.js';
import type { Context } from './context.js';
import type { PageConnection } from './objects/connection.js';

type Edge<Source, Args = unknown> = (source: Source, args: Args, context: Context) => unknown;

/** Writes down an edge with the types of its source and arguments, which the schema has checked by then. */
function edge<Source, Args = unknown>(resolve: Edge<Source, Args>): GraphQLFieldResolver<unknown, Context> {
  return resolve as GraphQLFieldResolver<unknown, Context>;
}

const guestOf = ({ verbs, principal }: Context, id: string) => verbs.inventory.guestById(principal, id) ?? null;

/** A finding of then is about the guests of then, and ends with the steps of then. */
const guestsIn = ({ guests, asOf }: FindingRecord, context: Context): MaybeLater<readonly GuestRecord[]> => {
  if (asOf === null) return guests.flatMap((id) => guestOf(context, id) ?? []);
  const found = Promise.all(guests.map((id) => context.loaders.guestOfThen.load({ at: asOf, id })));
  return found.then((all) => all.filter((guest) => guest !== null));
};

const historyOf = ({ id, asOf }: FindingRecord, { loaders }: Context): Promise<readonly FindingStep[]> => {
  const history = loaders.history.load(id);
  return asOf === null ? history : history.then((steps) => steps.filter(({ at }) => at <= asOf));
};

const findingsOf = (
  guest: GuestRecord,
  wanted: readonly DriftFindingState[] | undefined,
  { verbs, principal, loaders }: Context,
): MaybeLater<readonly FindingRecord[]> => {
  const { id, asOf } = guest;
  if (asOf === null) return verbs.inventory.findingsOf(principal, guest, wanted);
  const states = wanted ?? DEFAULT_STATES;
  return loaders.findingsOfThen.load({ at: asOf, id }).then((all) => all.filter(({ state }) => states.includes(state)));
};

type MaybeLater<T> = T | Promise<T>;

/**
 * The fields that are more than a property of their source. They are plain functions on the schema: an answer about
 * now comes from the view without a promise, as the wrappers of the decorators would make one for every edge.
 */
const EDGES: Readonly<Record<string, GraphQLFieldResolver<unknown, Context>>> = {
  'Guest.node': edge<GuestRecord>((guest, _, { verbs }) => verbs.inventory.nodeOf(guest)),
  'Guest.findings': edge<GuestRecord, { states?: readonly DriftFindingState[] | null }>((guest, { states }, context) =>
    findingsOf(guest, states ?? undefined, context),
  ),
  'Guest.declared': edge<GuestRecord>((guest, _, { verbs }) => verbs.inventory.declaredOf(guest)),
  'Guest.freshness': edge<GuestRecord>((guest, _, { verbs }) => verbs.inventory.freshnessOf(guest)),
  'Guest.primaryAddress': edge<GuestRecord>((guest, _, { verbs }) => verbs.inventory.primaryAddress(guest)),
  'GuestAddress.evidence': edge<GuestAddressRecord>((address, _, { verbs }) => verbs.inventory.evidenceOf(address)),
  'AddressCarrier.evidence': edge<GuestAddressRecord>((address, _, { verbs }) => verbs.inventory.evidenceOf(address)),
  'ProxmoxNode.hardware': edge<NodeRecord>((node, _, { verbs }) => verbs.inventory.hardwareOf(node) ?? null),
  'ProxmoxNode.freshness': edge<NodeRecord>((node, _, { verbs }) => verbs.inventory.nodeFreshness(node)),
  'DriftFinding.guest': edge<FindingRecord>((finding, _, context) => {
    const guests = guestsIn(finding, context);
    return guests instanceof Promise ? guests.then(([first]) => first ?? null) : (guests[0] ?? null);
  }),
  'DriftFinding.guests': edge<FindingRecord>((finding, _, context) => guestsIn(finding, context)),
  'DriftFinding.history': edge<FindingRecord>((finding, _, context) => historyOf(finding, context)),
  'DriftEvent.cursor': edge<FindingStep | DriftEventRecord>(({ cursor }) =>
    typeof cursor === 'bigint' ? cursorText(cursor) : cursor,
  ),
  'DriftEvent.finding': edge<DriftEventRecord>((event, _, { loaders }) => loaders.finding.load(event.findingId)),
  'InventoryEvent.guestId': edge<InventoryEventRecord>((event) => event.guest),
  'InventoryEvent.guest': edge<InventoryEventRecord>((event, _, context) => guestOf(context, event.guest)),
  'AddressCarrier.guest': edge<AddressCarrier>(
    (carrier, _, { verbs, principal }) => verbs.inventory.carrierOf(principal, carrier) ?? null,
  ),
  'PortMapLan.guest': edge<PortMapRecord['lan']>(({ guest }, _, context) =>
    guest === null ? null : guestOf(context, guest),
  ),
  'PortMapLan.node': edge<PortMapRecord['lan']>(({ node }, _, { verbs, principal }) =>
    node === null ? null : (verbs.inventory.nodeById(principal, node) ?? null),
  ),
  'Collector.contract': edge<CollectorRecord>((collector) => collector.terms),
};

/** Binds the edges, and the count of every connection, onto a built schema. */
export function bindEdges(schema: GraphQLSchema): void {
  for (const [name, resolve] of Object.entries(EDGES)) {
    const [type = '', field = ''] = name.split('.');
    fieldOf(schema, type, field).resolve = resolve;
  }
  for (const name of Object.keys(schema.getTypeMap()).filter((type) => type.endsWith('Connection'))) {
    fieldOf(schema, name, 'totalCount').resolve = (page: PageConnection<unknown>) => page.count();
  }
}

function fieldOf(schema: GraphQLSchema, typeName: string, fieldName: string) {
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined) throw new Error(`the schema has no field ${typeName}.${fieldName}`);
  return field;
}
