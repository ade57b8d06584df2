import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DRIFT_KINDS } from '../../src/domain/finding.js';
import { type MainCluster, startMainCluster } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

const LOOK =
  '{ guests(first: 500) { nodes { cluster vmid } } driftFindings(first: 500, filter: { states: [OPEN, ACKNOWLEDGED, SUPPRESSED, RESOLVED, IGNORED] }) { nodes { id } } }';

interface Look {
  readonly guests: { readonly nodes: readonly { readonly cluster: string }[] };
  readonly driftFindings: { readonly nodes: readonly { readonly id: string }[] };
}

describe('the simulated estate', () => {
  let opened: TestGateway | undefined;
  let other: MainCluster | undefined;

  afterEach(async () => {
    await opened?.close();
    await other?.stop();
    opened = undefined;
    other = undefined;
  });

  it('tells drift of every kind, is the same estate after a restart, and is let alone by it', async () => {
    const gateway = await openGateway({ env: { SIMULATE: '1' } });
    opened = gateway;
    const kinds = async () => {
      const { driftFindings } = await gateway.graphql<{ driftFindings: { nodes: { id: string; kind: string }[] } }>(
        '{ driftFindings(first: 500) { nodes { id kind } } }',
      );
      return new Set(driftFindings.nodes.map(({ kind }) => kind));
    };
    // What settles first, and what takes a second look of a service an hour later, is told in time.
    const later = new Set(['PROXY_TARGET_STOPPED', 'ADDRESS_ANSWERED_BY_OTHER', 'HARDWARE_CHANGED']);
    const soon = DRIFT_KINDS.filter((kind) => !later.has(kind));
    await eventually(async () => {
      const told = await kinds();
      return soon.every((kind) => told.has(kind)) ? true : undefined;
    }, 60_000);
    const ids = async () =>
      (await gateway.graphql<Look>(LOOK)).guests.nodes.map((guest) => JSON.stringify(guest)).sort();
    const before = await ids();
    await gateway.restart();
    await eventually(
      async () => ((await gateway.rest('/v1/summary')).body as { stale: boolean }).stale === false || undefined,
    );
    expect(await ids()).toEqual(before);
    const { guests } = await gateway.graphql<{ guests: { nodes: { id: string }[] } }>(
      '{ guests(first: 500) { nodes { id } } }',
    );
    expect(guests.nodes.filter(({ id }) => !id.endsWith('@1'))).toEqual([]);
  }, 90_000);

  it('gives way to a sources.yaml, and leaves no guest and no finding behind', async () => {
    // `auto` on a database of one's own never simulates: switched on by name, then off by a restart without it.
    const gateway = await openGateway({ env: { SIMULATE: '1' } });
    opened = gateway;
    await eventually(
      async () => ((await gateway.graphql<Look>(LOOK)).driftFindings.nodes.length > 5 ? true : undefined),
      40_000,
    );
    other = await startMainCluster({ nodes: 2, guests: 8 });
    for (const [name, text] of Object.entries(other.files)) await writeFile(join(gateway.configDir, name), text);
    await gateway.restart({ SIMULATE: '', ...other.env });
    const look = await eventually(async () => {
      const seen = await gateway.graphql<Look>(LOOK);
      return seen.guests.nodes.some(({ cluster }) => cluster === 'main') ? seen : undefined;
    });
    expect(look.guests.nodes.filter(({ cluster }) => cluster.startsWith('sim-'))).toEqual([]);
    expect(look.driftFindings.nodes.filter(({ id }) => id.includes('sim-'))).toEqual([]);
    await expect(gateway.restart({ SIMULATE: '1' })).rejects.toThrow(/SIMULATE=1.*has held a real run/s);
    await gateway.restart({ SIMULATE: '', ...other.env });
  }, 90_000);
});
