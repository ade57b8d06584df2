import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MainCluster, startMainCluster, TABLE } from '../testkit/main-cluster.js';
import { eventually, openGateway, type TestGateway } from './open-gateway.js';

describe('a declared file that lost many rows at once', () => {
  let cluster: MainCluster;
  let gateway: TestGateway;
  const CONFIRM = `mutation { declaredConfirm(input: { source: "${TABLE}", reason: "the lab is gone" }) { source { state } userErrors { code } } }`;

  beforeAll(async () => {
    cluster = await startMainCluster({ nodes: 2, guests: 20 });
    gateway = await openGateway({
      files: { 'sources.yaml': cluster.sources, [TABLE]: cluster.declared[TABLE] ?? '' },
      env: cluster.env,
    });
    await eventually(async () => ((await declaredGuests()) > 0 ? true : undefined), 30_000);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await cluster?.stop();
  });

  const path = () => join(gateway.configDir, TABLE);
  const kept = () => gateway.gateway.core.replica.view().declared.get(`declared:${TABLE}`);
  const declaredGuests = async () => kept()?.rows.size ?? 0;
  const confirm = async () =>
    (
      await gateway.graphql<{ declaredConfirm: { source: { state: string } | null; userErrors: { code: string }[] } }>(
        CONFIRM,
      )
    ).declaredConfirm;

  it('is asked for by its name, and whoever asks for another is told which there are', async () => {
    const other = CONFIRM.replace(TABLE, 'nope').replace('{ code }', '{ code message }');
    expect((await gateway.graphql<{ declaredConfirm: unknown }>(other)).declaredConfirm).toEqual({
      source: null,
      userErrors: [
        {
          code: 'NOT_FOUND',
          message: expect.stringMatching(new RegExp(`^"nope" is no declared source: there are .*${TABLE}`)),
        },
      ],
    });
  });

  it('is believed at once when a person says so, also where the gateway was started anew meanwhile; and only that content', async () => {
    const whole = await readFile(path(), 'utf8');
    const rows = await declaredGuests();
    expect(await confirm()).toEqual({ source: null, userErrors: [{ code: 'CONFLICT' }] });
    const lines = whole.split('\n');
    const isRow = (text: string) => /^\|\s*`?\d/.test(text);
    const half = lines.filter((text, i) => !isRow(text) || i % 2 === 0).join('\n');
    await writeFile(path(), half);
    await eventually(() => (kept()?.state.outcome === 'UNREACHABLE' ? true : undefined));
    expect(await declaredGuests()).toBe(rows);

    await gateway.restart();
    expect(await confirm()).toEqual({ source: { state: 'COVERED' }, userErrors: [] });
    expect(await declaredGuests()).toBeLessThan(rows);

    // The rows come back, and are lost again by an accident: nobody spoke of that.
    await writeFile(`${path()}.new`, whole);
    await rename(`${path()}.new`, path());
    await eventually(async () => ((await declaredGuests()) === rows ? true : undefined));
    await writeFile(path(), half);
    await eventually(() => (kept()?.state.outcome === 'UNREACHABLE' ? true : undefined));
    expect(await declaredGuests()).toBe(rows);
    await gateway.restart();
    await eventually(() => (kept()?.state.outcome === 'UNREACHABLE' ? true : undefined));
    expect(await declaredGuests()).toBe(rows);
  }, 60_000);
});
