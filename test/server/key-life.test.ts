import { expect, it, onTestFinished } from 'vitest';
import { accountVerbs } from '../../src/accounts/keys.js';
import { keyScheme } from '../../src/auth/api-key.js';
import { authenticator } from '../../src/auth/authenticator.js';
import { createTestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { openServer } from './open-server.js';

it('a key opens every door from its making to its revocation, on a replica that only hears of it', async () => {
  const { store, close } = await createTestStore();
  onTestFinished(close);
  const { apiKeyCreate, apiKeyRevoke } = accountVerbs({ store, scheme: keyScheme });
  const auth = authenticator({ keyByPrefix: (prefix) => store.apiKeys.byPrefix(prefix), now: () => Date.now() });
  const { ask } = await openServer({
    authenticate: auth.fromHeaders,
    graphql: async (_, { person }) => ({ status: 200, headers: [], body: person }),
  });

  const { apiKey, secret } = await apiKeyCreate(caller(), { name: 'n', roles: ['viewer'], person: 'kofi' });
  const ways: Record<string, string>[] = [{ 'x-api-key': secret }, { authorization: `Bearer ${secret}` }];
  for (const headers of ways) {
    const answer = await ask('/graphql?query=x', { headers });
    expect([answer.status, await answer.text()]).toEqual([200, 'kofi']);
  }

  const heard = new Promise<void>((resolve) => {
    const listening = store.listen(
      (channel) => {
        if (channel !== 'api_keys') return;
        auth.forget();
        resolve();
      },
      () => auth.forget(),
    );
    listening.then((stop) => onTestFinished(stop)).then(() => apiKeyRevoke(caller(), apiKey.id));
  });
  await heard;
  expect((await ask('/graphql?query=x', { headers: { 'x-api-key': secret } })).status).toBe(401);
});
