import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import type * as filters from '../../domain/filters.js';
import type { ChangesFilter } from '../../inventory/changes.js';
import type { PortMapQuery } from '../../inventory/port-map.js';
import type { TimeBucket } from '../../inventory/timeline.js';
import type { AddressesQuery, GuestOrder as GuestOrderOf, NodesQuery } from '../../inventory/verbs.js';
import type { Context } from '../context.js';
import { given } from '../given.js';
import { Viewer } from '../objects/account.js';
import { AddressConnection } from '../objects/address.js';
import { Collector } from '../objects/collector.js';
import { PageConnection } from '../objects/connection.js';
import { TimeBucketEnum } from '../objects/enums.js';
import { DriftFinding, DriftFindingConnection } from '../objects/finding.js';
import { Guest, GuestConnection } from '../objects/guest.js';
import {
  AddressFilter,
  DriftFindingFilter,
  GuestFilter,
  GuestOrder,
  PortMapFilter,
  ProxmoxNodeFilter,
} from '../objects/inputs.js';
import { ProxmoxNodeConnection } from '../objects/node.js';
import { PortMapConnection } from '../objects/port-map.js';
import { Summary } from '../objects/summary.js';
import { DriftBucket, InventoryChangeConnection, InventoryChangeFilter } from '../objects/time.js';
import { DateTime } from '../scalars.js';
import { AFTER, AS_OF, BEFORE, FIRST, LAST, paging } from './paging.js';

type Maybe<T> = T | null | undefined;

@Resolver()
export class EstateQueries {
  @Query(() => Summary, { description: 'The estate at a glance' })
  summary(@Ctx() { verbs, principal }: Context): unknown {
    return verbs.inventory.summary(principal);
  }

  @Query(() => GuestConnection, { description: 'Guests, by cluster and VMID unless ordered otherwise' })
  async guests(
    @Ctx() { verbs, principal }: Context,
    @Arg('first', () => Int, FIRST) first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('filter', () => GuestFilter, { nullable: true, description: 'Only these' }) filter: Maybe<object>,
    @Arg('orderBy', () => GuestOrder, { nullable: true, description: 'In this order' }) orderBy: Maybe<object>,
    @Arg('asOf', () => DateTime, AS_OF) asOf: Maybe<number>,
  ): Promise<unknown> {
    const query = {
      ...paging(first, after, last, before),
      filter: given(filter) as filters.GuestFilter,
      orderBy: (orderBy ?? undefined) as GuestOrderOf | undefined,
    };
    const { inventory } = verbs;
    return new PageConnection(
      typeof asOf === 'number'
        ? await inventory.guestsAsOf(principal, asOf, query)
        : inventory.guests(principal, query),
    );
  }

  @Query(() => Guest, { nullable: true, description: 'One guest; null when it is absent or not the caller’s' })
  async guest(
    @Ctx() { verbs, principal }: Context,
    @Arg('cluster', () => String, { nullable: true, description: 'Its cluster; needed where several have the VMID' })
    cluster: Maybe<string>,
    @Arg('vmid', () => Int, { description: 'Its VMID' }) vmid: number,
    @Arg('asOf', () => DateTime, AS_OF) asOf: Maybe<number>,
  ): Promise<unknown> {
    const { inventory } = verbs;
    const place = cluster ?? undefined;
    if (typeof asOf === 'number') return (await inventory.guestAsOf(principal, asOf, place, vmid)) ?? null;
    return inventory.guest(principal, place, vmid) ?? null;
  }

  @Query(() => ProxmoxNodeConnection, { description: 'Nodes, by cluster and name' })
  proxmoxNodes(
    @Ctx() { verbs, principal }: Context,
    @Arg('first', () => Int, FIRST) first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('filter', () => ProxmoxNodeFilter, { nullable: true, description: 'Only these' }) filter: Maybe<object>,
  ): unknown {
    const query = { ...paging(first, after, last, before), filter: given(filter) } as NodesQuery;
    return new PageConnection(verbs.inventory.nodes(principal, query));
  }

  @Query(() => AddressConnection, { description: 'Addresses that are declared or carried, by scope and number' })
  addresses(
    @Ctx() { verbs, principal }: Context,
    @Arg('first', () => Int, FIRST) first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('filter', () => AddressFilter, { nullable: true, description: 'Only these' }) filter: Maybe<object>,
    @Arg('asOf', () => DateTime, AS_OF) asOf: Maybe<number>,
  ): unknown {
    const query = { ...paging(first, after, last, before), filter: given(filter) } as AddressesQuery;
    const { inventory } = verbs;
    if (typeof asOf !== 'number') return new PageConnection(inventory.addresses(principal, query));
    return inventory.addressesAsOf(principal, asOf, query).then((page) => new PageConnection(page));
  }

  @Query(() => InventoryChangeConnection, {
    description: 'What changed after `from` and up to `to`, newest first; who may see it is as it is now',
  })
  async inventoryChanges(
    @Ctx() { verbs, principal }: Context,
    @Arg('from', () => DateTime, { description: 'After this moment' }) from: number,
    @Arg('to', () => DateTime, { description: 'Up to this moment' }) to: number,
    @Arg('first', () => Int, FIRST) first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('filter', () => InventoryChangeFilter, { nullable: true, description: 'Only these' }) filter: Maybe<object>,
  ): Promise<unknown> {
    const wanted = { ...paging(first, after, last, before), from, to, filter: given(filter) as ChangesFilter };
    return new PageConnection(await verbs.inventory.inventoryChanges(principal, wanted));
  }

  @Query(() => PortMapConnection, { description: 'Public names on their way to a guest and its switch port, by name' })
  portMap(
    @Ctx() { verbs, principal }: Context,
    @Arg('first', () => Int, FIRST) first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('filter', () => PortMapFilter, { nullable: true, description: 'Only these' }) filter: Maybe<object>,
  ): unknown {
    const query = { ...paging(first, after, last, before), filter: given(filter) } as PortMapQuery;
    return new PageConnection(verbs.inventory.portMap(principal, query));
  }

  @Query(() => [Collector], { description: 'Every collector of the contract with its sources' })
  collectors(@Ctx() { verbs, principal }: Context): unknown {
    return verbs.inventory.collectors(principal);
  }

  @Query(() => Viewer, { description: 'Who is calling' })
  viewer(@Ctx() { principal }: Context): unknown {
    const { id, name, person, roles, permissions, tenants } = principal;
    return { id, name, person, roles, permissions: [...permissions], tenants: tenants === 'all' ? null : tenants };
  }
}

@Resolver()
export class DriftQueries {
  @Query(() => DriftFindingConnection, {
    description: 'Findings, newest first; open and acknowledged ones unless filtered',
  })
  async driftFindings(
    @Ctx() { verbs, principal }: Context,
    @Arg('first', () => Int, FIRST) first: Maybe<number>,
    @Arg('after', () => String, AFTER) after: Maybe<string>,
    @Arg('last', () => Int, LAST) last: Maybe<number>,
    @Arg('before', () => String, BEFORE) before: Maybe<string>,
    @Arg('filter', () => DriftFindingFilter, { nullable: true, description: 'Only these' }) filter: Maybe<object>,
    @Arg('asOf', () => DateTime, AS_OF) asOf: Maybe<number>,
  ): Promise<unknown> {
    const wanted = given(filter) as filters.DriftFindingFilter;
    const page = paging(first, after, last, before);
    const { inventory } = verbs;
    return new PageConnection(
      typeof asOf === 'number'
        ? await inventory.driftFindingsAsOf(principal, asOf, wanted, page)
        : await inventory.driftFindings(principal, wanted, page),
    );
  }

  @Query(() => [DriftBucket], {
    description: 'What happened to findings, in the whole buckets (UTC) that the time touches; at most 1,000 of them',
  })
  driftTimeline(
    @Ctx() { verbs, principal }: Context,
    @Arg('from', () => DateTime, { description: 'From this moment' }) from: number,
    @Arg('to', () => DateTime, { description: 'Before this moment' }) to: number,
    @Arg('bucket', () => TimeBucketEnum, { description: 'How time is divided' }) bucket: TimeBucket,
  ): unknown {
    return verbs.inventory.driftTimeline(principal, { from, to, bucket });
  }

  @Query(() => DriftFinding, { nullable: true, description: 'One finding; null when it is absent or not the caller’s' })
  driftFinding(
    @Ctx() { verbs, principal }: Context,
    @Arg('id', () => ID, { description: 'Its id' }) id: string,
  ): unknown {
    return verbs.inventory.driftFinding(principal, id).then((finding) => finding ?? null);
  }
}
