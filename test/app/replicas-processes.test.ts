import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { directions } from '../../src/simulator/directions.js';
import { keepIdentity, newIdentity } from '../../src/simulator/identity.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { stopPostmaster } from '../../src/store/embedded/postmaster.js';
import { type Embedded, startEmbedded } from '../../src/store/embedded/start.js';
import { type Receiver, receiver, takes } from '../notifications/receiver.js';
import { describeRedis, type Redis, startRedis } from '../notifications/redis-server.js';
import { eventually } from './open-gateway.js';
import {
  deliveries,
  eventLog,
  firstOfEach,
  historySteps,
  passes,
  Subscriber,
  streamed,
  terminateAll,
} from './replica-books.js';
import { buildProduct, type Product, type Replica, replicaOf } from './replica-processes.js';

const HOURLY = ['proxmox_guest_ipam', 'ip_neigh', 'unifi', 'netbox'];
const CONTRACT = JSON.stringify({
  version: 3,
  collectors: Object.fromEntries(
    [...HOURLY, 'hardware', 'npm'].map((name) => {
      const seconds = HOURLY.includes(name) ? 3_600 : 604_800;
      return [name, { refresh_seconds: seconds, stale_after_seconds: 2 * seconds }];
    }),
  ),
});

/** Everything that an answer about now holds but ages and the times of polls. */
const ANSWER = `{
  guests(first: 500) { nodes {
    id name status node { id status } tags addresses { address } declared { field value source wins }
    findings { id state }
  } }
  driftFindings(first: 500) { nodes {
    id kind state severity declared observed message firstSeenAt resolvedAt occurrences reason
    history { type at actor reason }
  } }
  collectors { name sources { name outcome reason } }
  portMap(first: 100) { totalCount }
}`;

const RUN = `mutation($of: [CollectorName!]) {
  collectionRun(input: { collectors: $of, waitSeconds: 40 }) { runs { source state outcome } userErrors { code } }
}`;

interface Guest {
  readonly vmid: number;
  readonly name: string;
  readonly template: boolean;
  readonly declared: readonly { readonly field: string; readonly value: string }[];
  readonly findings: readonly unknown[];
}

interface FindingNow {
  readonly id: string;
  readonly state: string;
  readonly severity: string;
}

interface Runs {
  readonly collectionRun: {
    readonly runs: readonly { readonly source: string; readonly state: string; readonly outcome: string | null }[];
    readonly userErrors: readonly object[];
  };
}

describeRedis('two gateways, each a process that may die, on one database and one Redis', () => {
  let folder: string;
  let databaseFolder: string;
  let product: Product;
  let database: Embedded;
  let redis: Redis;
  let site: Receiver;
  let simulator: Simulator;
  let one: Replica;
  let other: Replica;
  /** A finding can be made of each of these, and was not yet. */
  let quiet: number[];
  const [anne, bob] = [new Subscriber(), new Subscriber()];
  const figures: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sankofa-replicas-'));
    // Named so that the next test run ends the server of one that was killed.
    databaseFolder = await mkdtemp(join(tmpdir(), 'sankofa-test-pg-'));
    for (const each of [folder, databaseFolder]) await chmod(each, 0o755);
    const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
    product = await buildProduct();
    database = await startEmbedded({ dataDir: databaseFolder, settings });
    redis = await startRedis();
    site = await receiver(Date.now);
    simulator = await openEstate();
    const env = {
      ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, CONFIG_DIR: join(folder, 'config') },
      ...{ IT_COLLECT_IP_NEIGH: '1', HOOK_SECRET: 'the key of the hook' },
    };
    one = replicaOf(product, 'one', folder, env);
    other = replicaOf(product, 'other', folder, env);
    await one.start();
    await eventually(async () => ((await findingsOf(one)).length >= 3 ? true : undefined));
    await other.start();
    anne.follow(one);
    bob.follow(other);
    await eventually(async () => (await allRead()) || undefined, 30_000);
    quiet = await quietGuests(other);
  }, 90_000);

  afterAll(async () => {
    anne.leave();
    bob.leave();
    await one?.kill();
    await other?.kill();
    await Promise.all([simulator?.stop(), site?.close(), redis?.stop(), database?.stop(), product?.remove()]);
    for (const each of [folder, databaseFolder]) await rm(each, { recursive: true, force: true });
    console.info(`two replicas: ${figures.join('; ')}`);
  }, 60_000);

  /** An estate with everything around it, and the files that point a gateway at it. */
  async function openEstate(): Promise<Simulator> {
    const [declaredDir, config] = [join(folder, 'declared'), join(folder, 'config')];
    for (const each of [declaredDir, join(config, 'it-operations')]) await mkdir(each, { recursive: true });
    const identity = await newIdentity();
    const size = { nodes: 3, guests: 40, clusterName: 'main', declaredDir };
    const opened = await startSimulator({ ...size, identity, services: true, live: false, now: Date.now });
    const files = await keepIdentity(join(folder, 'identity'), identity, opened.adminToken);
    const texts = {
      'sources.yaml': directions(opened, files).replaceAll(/^( {4})api:$/gm, '$1pollSeconds: 1\n$1api:'),
      'it-operations/live-collectors-contract.json': CONTRACT,
      'policy.yaml': policy('INFO'),
      'ip-addresses.conf': await readFile(join(declaredDir, 'ip-addresses.conf'), 'utf8'),
      'ALL_VMIDS_ENDPOINTS.md': await readFile(join(declaredDir, 'ALL_VMIDS_ENDPOINTS.md'), 'utf8'),
    };
    for (const [name, text] of Object.entries(texts)) await writeFile(join(config, name), text);
    return opened;
  }

  const policy = (severity: string) =>
    `severities: { NAME_DIFFERS: ${severity} }\nnotify:\n  - { name: portal, url: "${site.url}", secretEnv: HOOK_SECRET, topics: ["*"], digest: off }\n`;

  const polls = () => simulator.requests('main').get('/cluster/status') ?? 0;
  const proxyRequests = () => [...(simulator.npm[0]?.requests().values() ?? [])].reduce((sum, count) => sum + count, 0);
  const findingsOf = async (replica: Replica) => {
    const { driftFindings } = await replica.graphql<{ driftFindings: { nodes: FindingNow[] } }>(
      '{ driftFindings(first: 500) { nodes { id state severity } } }',
    );
    return driftFindings.nodes;
  };
  const stateOn = async (replica: Replica, id: string) =>
    (await findingsOf(replica)).find((each) => each.id === id)?.state;
  const nameFinding = (vmid: number) => `NAME_DIFFERS:main/${vmid}@1:name`;
  const compared = (replica: Replica) => replica.metric('sankofa_compare_seconds_count');

  async function allRead(): Promise<boolean> {
    const { collectors } = await other.graphql<{
      collectors: { sources: { outcome: string; lastSuccessAt: string | null }[] }[];
    }>('{ collectors { sources { outcome lastSuccessAt } } }');
    return collectors.flatMap(({ sources }) => sources).every(({ lastSuccessAt }) => lastSuccessAt !== null);
  }

  async function quietGuests(replica: Replica): Promise<number[]> {
    const { guests } = await replica.graphql<{ guests: { nodes: Guest[] } }>(
      '{ guests(first: 100) { nodes { vmid name template declared { field value } findings { id } } } }',
    );
    const isQuiet = ({ name, template, declared, findings }: Guest) =>
      !template && findings.length === 0 && declared.some(({ field, value }) => field === 'name' && value === name);
    const planted = simulator.plantedDrift.map(({ subject }) => subject);
    const isSpared = (vmid: number) => !planted.some((subject) => subject.split('@')[0] === `main/${vmid}`);
    return guests.nodes.filter(isQuiet).flatMap(({ vmid }) => (isSpared(vmid) ? [vmid] : []));
  }

  /** Makes drift at the source; the id of the finding that it is to become. */
  function drift(): string {
    const vmid = quiet.shift();
    if (vmid === undefined) throw new Error('every guest has a finding');
    simulator.estate('main').rename(vmid, `renamed-${vmid}`);
    return nameFinding(vmid);
  }

  const isToldOf = (id: string) => site.received.some(({ body }) => body.includes(id));

  /** Milliseconds from now until each of these is so for the first time. */
  async function watched(looks: Readonly<Record<string, () => boolean | Promise<boolean>>>, within = 40_000) {
    const from = performance.now();
    const took = await Promise.all(
      Object.entries(looks).map(async ([name, look]) => {
        await eventually(async () => ((await look()) ? true : undefined), within);
        return [name, performance.now() - from] as const;
      }),
    );
    return took.map(([name, ms]) => `${name} ${(ms / 1_000).toFixed(1)} s`).join(', ');
  }

  /** Both answer alike, and everybody who is told heard the log as it is: each event, once, in its order. */
  async function booksAgree(): Promise<void> {
    for (const claim of [answerAlike, compareBooks]) {
      const holds = async () => {
        await claim();
        return true;
      };
      // Said with all that differs where it does not come about.
      await eventually(holds, 15_000).catch(claim);
    }
  }

  async function answerAlike(): Promise<void> {
    const [here, there] = await Promise.all([one, other].map((replica) => replica.graphql(ANSWER)));
    expect(there).toEqual(here);
  }

  async function compareBooks(): Promise<void> {
    const log = await eventLog(database.url);
    const of = (room: string) => log.filter(({ topic }) => topic.startsWith(`${room}.`));
    const pairs = (events: typeof log) => events.map(({ id, subject }) => [id, subject]);
    for (const each of [anne, bob]) {
      expect(each.drift.map(({ cursor, findingId }) => [cursor, findingId])).toEqual(pairs(of('drift')));
      expect(each.guests.map(({ cursor, guestId }) => [cursor, guestId])).toEqual(pairs(of('guest')));
    }
    // Told is what happened since there is a target: it was there before anything was collected.
    const ids = log.map(({ id }) => id);
    const since = ids.indexOf(of('guest')[0]?.id ?? '');
    const hooked = deliveries(site.received);
    expect(hooked).toEqual(ids.slice(ids.length - hooked.length));
    expect(ids.length - hooked.length).toBeLessThanOrEqual(since);
    const entries = firstOfEach(await streamed(redis.url));
    expect(entries).toEqual(ids.slice(ids.length - entries.length));
    expect(ids.length - entries.length).toBeLessThanOrEqual(since);
    await compareHistories(of('drift'));
  }

  async function compareHistories(told: readonly { readonly id: string; readonly subject: string }[]): Promise<void> {
    const steps = await historySteps(database.url);
    const toldSteps = steps.filter(({ cursor }) => cursor !== null);
    expect(toldSteps.map(({ cursor, finding }) => [cursor, finding])).toEqual(told.map((e) => [e.id, e.subject]));
    const last = new Map<string, string>();
    const twice = steps.flatMap(({ finding, type }) => {
      const before = last.get(finding);
      last.set(finding, type);
      return type !== 'UPDATED' && type === before ? [`${finding} ${type}`] : [];
    });
    expect(twice).toEqual([]);
  }

  it('answer from the same view soon after a change, and tell it once', async () => {
    const id = drift();
    const seenAt = async (replica: Replica) => {
      await eventually(async () => ((await stateOn(replica, id)) === 'OPEN' ? true : undefined));
      return performance.now();
    };
    const [here, there] = await Promise.all([one, other].map(seenAt));
    figures.push(`the view of one is ${Math.round(Math.abs((here ?? 0) - (there ?? 0)))} ms before the other's`);
    expect((await compared(one)) > 0).not.toBe((await compared(other)) > 0);
    await booksAgree();
  }, 60_000);

  it('are one to a caller who wants a pass now, and only one of them reads', async () => {
    const before = await passes(database.url);
    const { collectionRun } = await other.graphql<Runs>(RUN, {});
    expect(collectionRun.userErrors).toEqual([]);
    expect(collectionRun.runs.filter(({ state, outcome }) => state !== 'FINISHED' || outcome !== 'OBSERVED')).toEqual(
      [],
    );
    const after = await passes(database.url);
    const more = [...after].map(([source, count]) => [source, count - (before.get(source) ?? 0)]);
    expect(more.filter(([, count]) => count !== 1)).toEqual([]);
    const sources = [...after.keys()];
    const readBy = (replica: Replica) =>
      Promise.all(sources.map((source) => replica.metric(`sankofa_collector_requests_total{source="${source}"}`)));
    expect((await readBy(other)).filter((count) => count > 0)).toEqual([]);
    expect((await readBy(one)).filter((count) => count === 0)).toEqual([]);
  }, 60_000);

  it('what a person decides where nothing is compared holds on both, whatever is being compared', async () => {
    const ids = [drift(), drift(), drift()];
    await eventually(async () =>
      (await Promise.all(ids.map((id) => stateOn(other, id)))).every((s) => s === 'OPEN') ? true : undefined,
    );
    const busy = ids.map(async (id) => {
      // Each rename makes a comparison, which ends before or after the word is taken.
      const another = drift();
      await sleep(Math.random() * 400);
      const { driftFindingAcknowledge } = await other.graphql<{
        driftFindingAcknowledge: { driftFinding: { state: string } };
      }>('mutation($id: ID!) { driftFindingAcknowledge(input: { id: $id }) { driftFinding { state } } }', { id });
      expect(driftFindingAcknowledge.driftFinding.state).toBe('ACKNOWLEDGED');
      return another;
    });
    for (const id of await Promise.all(busy)) {
      await eventually(async () => ((await stateOn(one, id)) === 'OPEN' ? true : undefined));
    }
    const seen = polls();
    await eventually(() => (polls() >= seen + 2 ? true : undefined));
    for (const replica of [one, other]) {
      expect(await Promise.all(ids.map((id) => stateOn(replica, id)))).toEqual(ids.map(() => 'ACKNOWLEDGED'));
    }
    await booksAgree();
  }, 60_000);

  it('the other takes everything over when the one that does it all dies, and reads nothing before it is due', async () => {
    const read = await passes(database.url);
    await one.kill();
    const id = drift();
    const seen = polls();
    const took = await watched({
      collecting: () => polls() > seen,
      comparing: async () => (await stateOn(other, id)) === 'OPEN',
      telling: () => isToldOf(id),
    });
    figures.push(`killed: ${took}`);
    await one.start();
    anne.follow(one);
    await booksAgree();
    expect(await passes(database.url)).toEqual(read);
    const later = drift();
    await eventually(async () => ((await stateOn(one, later)) === 'OPEN' ? true : undefined));
    await booksAgree();
    expect(await compared(one)).toBe(0);
  }, 60_000);

  it('dying in mid-run loses nothing: what was asked for is read by the other, what was being told is told again', async () => {
    simulator.faults('main').set({ slowMs: 200 });
    for (const { faults } of [...simulator.npm, ...simulator.unifi]) faults.set({ slowMs: 500 });
    // The message under way is answered by nobody: whether it arrived is not known.
    site.behave(() => {});
    const heard = site.received.length;
    drift();
    await eventually(() => (site.received.length > heard ? true : undefined));
    const before = proxyRequests();
    const asked = one.graphql<Runs>(RUN, { of: null });
    await eventually(() => (proxyRequests() > before ? true : undefined));
    await other.kill();
    site.behave(takes);
    simulator.faults('main').clear();
    for (const { faults } of [...simulator.npm, ...simulator.unifi]) faults.clear();
    const another = drift();
    const since = polls();
    const took = await watched({
      collecting: () => polls() > since,
      comparing: async () => (await stateOn(one, another)) === 'OPEN',
      telling: () => isToldOf(another),
      'the pass asked for': async () => (await asked) !== undefined,
    });
    figures.push(`killed in mid-run: ${took}`);
    const { runs } = (await asked).collectionRun;
    expect(runs.filter(({ state, outcome }) => state !== 'FINISHED' || outcome !== 'OBSERVED')).toEqual([]);
    await other.start();
    bob.follow(other);
    await booksAgree();
  }, 90_000);

  it('a saved policy holds on both, also when the one that reads it dies before it was read', async () => {
    const holds = (replica: Replica, severity: string) => async () =>
      (await findingsOf(replica))
        .filter(({ id }) => id.startsWith('NAME_DIFFERS:'))
        .every((finding) => finding.severity === severity);
    const save = (severity: string) => writeFile(join(folder, 'config', 'policy.yaml'), policy(severity));
    const reads = (replica: Replica) =>
      replica.metric('sankofa_collector_run_seconds_count{source="policy:policy.yaml",mode="POLL",outcome="OBSERVED"}');
    await save('CRITICAL');
    figures.push(`a saved policy: ${await watched({ one: holds(one, 'CRITICAL'), other: holds(other, 'CRITICAL') })}`);
    expect((await reads(one)) > 0).toBe(true);
    await one.kill();
    await save('WARNING');
    figures.push(`saved as its reader was killed: ${await watched({ other: holds(other, 'WARNING') })}`);
    await one.start();
    anne.follow(one);
    expect(await holds(one, 'WARNING')()).toBe(true);
    expect(await reads(one)).toBe(0);
    await booksAgree();
  }, 60_000);

  it('come back by themselves when the database restarts, and when it hangs up on everybody', async () => {
    for (const [name, break_] of [
      ['database restarted', () => stopPostmaster(join(database.stateDir, 'data'))],
      ['connections ended', () => terminateAll(database.url)],
    ] as const) {
      const id = drift();
      await break_();
      const another = drift();
      const opened = (replica: Replica) => async () =>
        (await Promise.all([id, another].map((each) => stateOn(replica, each)))).every((state) => state === 'OPEN');
      figures.push(
        `${name}: ${await watched({ one: opened(one), other: opened(other), told: () => isToldOf(another) })}`,
      );
      await booksAgree();
    }
  }, 90_000);
});
