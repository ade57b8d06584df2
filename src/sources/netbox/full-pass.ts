import { wireObject } from '../wire-values.js';
import { type Ask, type NetboxClient, NetboxTrouble } from './client.js';
import * as list from './lists.js';
import { type PageCount, type Reading, readByIds, readList } from './lists.js';
import { withBearers, withoutDevice } from './parse/addresses.js';
import { foreign, type NetboxVersion, netboxVersion } from './parse/answer.js';
import type { Lists } from './parse/declared.js';

/** Lists that a pass reads: one page each at least, beside `/status/`. */
export const LISTS_OF_A_PASS = 7;

/** `/status/` says who answers, in which version, and whether the token is admitted: the first thing to ask. */
export async function askVersion(
  client: NetboxClient,
  ask: Ask,
): Promise<{ readonly version: NetboxVersion | undefined; readonly words: string | null }> {
  const { content, apiVersion } = await client.get('/status/', '', null, { ...ask, isDoor: true });
  const status = wireObject(content);
  const words = status?.['netbox-version'];
  if (typeof words !== 'string' && apiVersion === null) {
    throw new NetboxTrouble(`${client.url}/api/status/: ${foreign('JSON without "netbox-version"')}`);
  }
  const written = typeof words === 'string' ? words : apiVersion;
  return { version: netboxVersion(written), words: written };
}

/**
 * All that NetBox says, or nothing. VMs are read before their interfaces and these before addresses: what is made while
 * the pass goes on is then seen with its parts or not at all. The other lists go beside them.
 */
export async function fullPass(
  reading: Reading & { readonly pages: PageCount },
  vmidField: string,
  version: NetboxVersion | undefined,
): Promise<Lists> {
  return allOrNothing(reading, async (own) => {
    const [machines, prefixes, devices, vrfs, clusters] = await Promise.all([
      (async () => {
        const vms = await readList(own, list.machines(vmidField));
        const interfaces = await readList(own, list.interfaces(version));
        const addresses = await readList(own, list.addresses);
        const bearers = await readByIds(own, list.bearers, 'id', withoutDevice(addresses));
        return { machines: vms, interfaces, addresses: withBearers(addresses, bearers) };
      })(),
      readList(own, list.prefixes),
      readList(own, list.devices),
      readList(own, list.vrfs),
      readList(own, list.clusters),
    ]);
    return { version, ...machines, prefixes, devices, vrfs, clusters };
  });
}

/** Runs a deed under a signal of its own: the first list that fails stops the others. */
async function allOrNothing<T>(reading: Reading, deed: (own: Reading) => Promise<T>): Promise<T> {
  const inner = new AbortController();
  const signal = AbortSignal.any([reading.ask.signal, inner.signal]);
  try {
    return await deed({ ...reading, ask: { ...reading.ask, signal } });
  } finally {
    inner.abort(new Error('another list could not be read'));
  }
}
