import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { answers, type Receiver, receiver, signed } from '../notifications/receiver.js';
import { openGateway, type TestGateway } from './open-gateway.js';

let gateway: TestGateway | undefined;
let site: Receiver | undefined;
afterEach(async () => {
  await gateway?.close();
  await site?.close();
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('it never came to that');
    await sleep(50);
  }
}

const TARGETS = `{ notificationTargets { name kind address state failures deadLetters topics reason } }`;
interface Targets {
  readonly notificationTargets: readonly Record<string, unknown>[];
}

it('tells a webhook of a saved policy what the estate does, and an admin how that goes', async () => {
  site = await receiver(() => 0);
  const env = { SIMULATE: '1', SIMULATE_NODES: '2', SIMULATE_GUESTS: '12', HOOK_SECRET: 'the key of the hook' };
  gateway = await openGateway({ env });
  const { graphql, configDir } = gateway;
  expect(await graphql(TARGETS)).toEqual({ notificationTargets: [] });

  const policy = `notify:\n  - { name: portal, url: "${site.url}", secretEnv: HOOK_SECRET, topics: ["account.*"], digest: { after: 3, window: 2s } }\n`;
  await writeFile(join(configDir, 'policy.yaml.new'), policy);
  await rename(join(configDir, 'policy.yaml.new'), join(configDir, 'policy.yaml'));
  await until(async () => (await graphql<Targets>(TARGETS)).notificationTargets.length === 1);

  const test = `mutation($target: String!) { notificationTest(input: { target: $target }) { delivered answer userErrors { code field } } }`;
  expect(await graphql(test, { target: 'portal' })).toEqual({
    notificationTest: { delivered: true, answer: '204', userErrors: [] },
  });
  expect(site.received.at(-1)?.topic).toBe('notification.test');
  expect(await graphql(test, { target: 'nobody' })).toEqual({
    notificationTest: {
      delivered: null,
      answer: null,
      userErrors: [{ code: 'NOT_FOUND', field: ['input', 'target'] }],
    },
  });

  site.behave(answers(503));
  const revoke = `mutation { apiKeyCreate(input: { name: "told", roles: ["viewer"] }) { apiKey { id } } }`;
  await graphql(revoke);
  const told = () =>
    site?.received.find(({ topic, body }) => topic === 'account.changed' || body.includes('account.changed'));
  await until(() => told() !== undefined);
  expect(told()?.signature).toBe(signed(told()?.body ?? '', 'the key of the hook'));
  await until(async () => (await graphql<Targets>(TARGETS)).notificationTargets[0]?.state === 'FAILING');
  expect((await graphql<Targets>(TARGETS)).notificationTargets[0]).toMatchObject({
    name: 'portal',
    kind: 'WEBHOOK',
    address: `${new URL(site.url).origin}/…`,
    failures: 1,
    deadLetters: 0,
    reason: expect.stringContaining('answered 503'),
  });
  const lines = (words: string) => gateway?.log.filter((line) => line.includes(words)).length;
  expect(lines('this target cannot be told; it is tried again')).toBe(1);
  expect(await graphql('{ deadLetters { totalCount nodes { id } pageInfo { hasNextPage } } }')).toEqual({
    deadLetters: { totalCount: 0, nodes: [], pageInfo: { hasNextPage: false } },
  });
});

it('tells a target that is there at the first start from the log’s beginning, and one that comes later from then on', async () => {
  const [first, later] = [await receiver(() => 0), await receiver(() => 0)];
  site = first;
  const entry = (name: string, url: string) =>
    `  - { name: ${name}, url: "${url}", topics: ["account.*"], digest: off }\n`;
  const files = { 'policy.yaml': `notify:\n${entry('first', first.url)}` };
  gateway = await openGateway({ env: { SIMULATE: '1', SIMULATE_NODES: '1', SIMULATE_GUESTS: '2' }, files });
  await until(() => first.received.length === 1);
  const changes = ({ received }: Receiver) =>
    received.map(({ body }) => (JSON.parse(body) as { payload: { change: string; name: string } }).payload);
  expect(changes(first)).toMatchObject([{ change: 'created', roles: ['sankofa-it-admin'] }]);

  const both = `notify:\n${entry('first', first.url)}${entry('later', later.url)}`;
  await writeFile(join(gateway.configDir, 'policy.yaml.new'), both);
  await rename(join(gateway.configDir, 'policy.yaml.new'), join(gateway.configDir, 'policy.yaml'));
  await until(async () => (await gateway?.graphql<Targets>(TARGETS))?.notificationTargets.length === 2);
  await gateway.graphql('mutation { apiKeyCreate(input: { name: "told", roles: ["viewer"] }) { apiKey { id } } }');
  await until(() => later.received.length > 0 && first.received.length > 1);
  expect(changes(later)).toMatchObject([{ change: 'created', name: 'told' }]);
  await later.close();
});

it('says at the start what of the policy has no effect here, each once, and again when a policy is saved', async () => {
  const mute = '  - { name: portal, url: "https://portal.example.org/hook", secretEnv: NOT_SET }\n';
  const over = 'ignore:\n  - { tag: lab, until: 2020-01-01 }\n';
  const files = { 'policy.yaml': `${over}notify:\n${mute}` };
  gateway = await openGateway({ env: { SIMULATE: '1', SIMULATE_NODES: '1', SIMULATE_GUESTS: '2' }, files });
  const lines = (words: string) => gateway?.log.filter((line) => line.includes(words)).length;
  const mail = '  - { name: ops, email: [ops@example.org] }\n';
  const words = [
    'policy.yaml:2: ignore[0].until is over since 2020-01-02T00:00:00.000Z',
    'policy.yaml:4: notify[0].secretEnv NOT_SET is not set: nothing is sent unsigned',
    'policy.yaml:5: notify[1].email SMTP_URL is not set: no mail can be sent',
  ];
  expect(words.map(lines)).toEqual([1, 1, 0]);
  await writeFile(join(gateway.configDir, 'policy.yaml.new'), `${over}notify:\n${mute}${mail}`);
  await rename(join(gateway.configDir, 'policy.yaml.new'), join(gateway.configDir, 'policy.yaml'));
  await until(() => lines('notify[1].email') === 1);
  expect(words.map(lines)).toEqual([2, 2, 1]);
  expect((await gateway.graphql<Targets>(TARGETS)).notificationTargets[0]).toMatchObject({
    state: 'MISCONFIGURED',
    reason: 'NOT_SET is not set: nothing is sent unsigned',
  });
});

it('shows nobody without notification:manage whom it tells', async () => {
  gateway = await openGateway({ env: { SIMULATE: '1', SIMULATE_NODES: '1', SIMULATE_GUESTS: '2' } });
  const { apiKeyCreate } = await gateway.graphql<{ apiKeyCreate: { secret: string } }>(
    'mutation { apiKeyCreate(input: { name: "op", roles: ["operator"] }) { secret } }',
  );
  const { url } = gateway.gateway;
  const codes = async (query: string) => {
    const headers = { 'content-type': 'application/json', 'x-api-key': apiKeyCreate.secret };
    const asked = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { errors } = (await asked.json()) as { errors: { extensions: { code: string } }[] };
    return errors.map(({ extensions }) => extensions.code);
  };
  expect(await codes('{ deadLetters { nodes { id } } }')).toEqual(['FORBIDDEN']);
  expect(await codes('{ notificationTargets { name } }')).toEqual(['FORBIDDEN']);
  expect(await codes('mutation { notificationTest(input: { target: "x" }) { delivered } }')).toEqual(['FORBIDDEN']);
  expect(await codes('mutation { deadLetterReplay(input: { target: "x" }) { deadLetters { id } } }')).toEqual([
    'FORBIDDEN',
  ]);
});
