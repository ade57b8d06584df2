import type { Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import { MAX_FIRST } from '../domain/page.js';
import type { RestFacts } from '../inventory/rest-facts.js';
import type { ServiceItem } from '../inventory/services.js';
import type { InventoryVerbs } from '../inventory/verbs.js';
import { conditional } from './conditional.js';
import { openApiDocument } from './openapi.js';
import { portMapBody } from './port-map-shape.js';
import { guestStatuses, nodeStatuses, textParameter, vmidParameter } from './query.js';
import type { RestAnswer, RestRequest, RestRoute } from './route.js';
import { serviceBody } from './service-shapes.js';
import { beginning, driftBody, everyNode, guestBody, nodeBody, summaryBody } from './shapes.js';
import { ROUTES, type RouteName } from './table.js';

export interface Needs {
  readonly inventory: Pick<
    InventoryVerbs,
    | 'freshness'
    | 'summary'
    | 'allGuests'
    | 'guest'
    | 'nodes'
    | 'driftFacts'
    | 'freshnessOf'
    | 'primaryAddress'
    | 'services'
    | 'wholePortMap'
  >;
  readonly facts: RestFacts;
}

type Answer = (principal: Principal, request: RestRequest) => RestAnswer;

/** The legacy /v1 shim. It chooses and shapes; what is so, and who may see it, the verbs say. */
export function restRoutes(needs: Needs): readonly RestRoute[] {
  const answers = { ...inventoryAnswers(needs), ...documentAnswers(needs) } satisfies Record<RouteName, Answer>;
  return Object.entries(ROUTES).map(([name, { path }]) => ({
    method: 'GET',
    path: path.replace(/\{(\w+)\}/g, ':$1'),
    answer: async (principal, request) => answers[name as RouteName](principal, request),
  }));
}

function inventoryAnswers({ inventory, facts }: Needs) {
  const guestsOf = (principal: Principal, request: RestRequest) => {
    const cluster = textParameter(request, 'cluster');
    const node = textParameter(request, 'node');
    const filter = { cluster, node, statuses: guestStatuses(request) };
    return inventory.allGuests(principal, filter).map((guest) => guestBody(inventory, guest));
  };
  const start = (principal: Principal) => beginning(inventory.freshness(principal));

  return {
    summary: (principal, request) =>
      json(request, summaryBody(inventory.summary(principal), facts.collectors(principal))),
    live: (principal, request) => {
      const node = textParameter(request, 'node');
      const nodes = everyNode(inventory, principal, { cluster: textParameter(request, 'cluster') }, MAX_FIRST)
        .filter(({ name }) => node === undefined || name === node)
        .map(nodeBody);
      return json(request, { ...start(principal), nodes, guests: guestsOf(principal, request) });
    },
    guests: (principal, request) => json(request, { ...start(principal), guests: guestsOf(principal, request) }),
    guest: (principal, request) => {
      const vmid = vmidParameter(request);
      const guest = inventory.guest(principal, textParameter(request, 'cluster'), vmid);
      if (guest === undefined) throw new DomainError('NOT_FOUND', `guest ${vmid} is not in the inventory`);
      return json(request, { ...start(principal), guest: guestBody(inventory, guest) });
    },
    nodes: (principal, request) => {
      const filter = { cluster: textParameter(request, 'cluster'), statuses: nodeStatuses(request) };
      const nodes = everyNode(inventory, principal, filter, MAX_FIRST).map(nodeBody);
      return json(request, { ...start(principal), nodes });
    },
    npm: (principal, request) => json(request, serviceBody(inventory.services(principal, 'npm'))),
    unifi: (principal, request) => json(request, serviceBody(inventory.services(principal, 'unifi'))),
    neighbours: (principal, request) => {
      const cluster = textParameter(request, 'cluster');
      const keep = (item: ServiceItem) => cluster === undefined || item.cluster === cluster;
      return json(request, serviceBody(inventory.services(principal, 'ip_neigh'), keep));
    },
    hardware: (principal, request) => {
      const cluster = textParameter(request, 'cluster');
      const node = textParameter(request, 'node');
      const keep = (item: ServiceItem) =>
        (cluster === undefined || item.cluster === cluster) && (node === undefined || item.key === node);
      return json(request, serviceBody(inventory.services(principal, 'hardware'), keep));
    },
    joinedPortMap: (principal, request) => json(request, portMapBody(inventory.wholePortMap(principal))),
    drift: (principal, request) => json(request, driftBody(inventory.driftFacts(principal))),
  } satisfies Partial<Record<RouteName, Answer>>;
}

function documentAnswers({ facts }: Needs) {
  const openapi = JSON.stringify(openApiDocument());
  return {
    contract: (principal, request) => {
      const { text, hash } = facts.contract(principal);
      return conditional(text, request.ifNoneMatch, hash);
    },
    openapi: (_principal, request) => conditional(openapi, request.ifNoneMatch),
  } satisfies Partial<Record<RouteName, Answer>>;
}

function json(request: RestRequest, body: object): RestAnswer {
  return conditional(JSON.stringify(body), request.ifNoneMatch);
}
