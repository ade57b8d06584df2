import { type ClusterSettings, unnamedCluster } from '../domain/settings.js';
import type { OpenedStore } from '../store/open.js';

/**
 * What of a cluster's settings must outlive a lost `sources.yaml`: without its address scopes, equal addresses in two
 * scopes would become one, and findings would come and go. No peer and no secret is kept.
 */
type Remembered = Pick<ClusterSettings, 'name' | 'pollSeconds' | 'readsPerPoll' | 'addressScope' | 'addressScopes'>;

const MARK = 'clusters';

export async function rememberClusters(
  store: Pick<OpenedStore, 'transaction'>,
  clusters: readonly ClusterSettings[],
): Promise<void> {
  const kept: readonly Remembered[] = clusters.map(
    ({ name, pollSeconds, readsPerPoll, addressScope, addressScopes }) => {
      return { name, pollSeconds, readsPerPoll, addressScope, addressScopes };
    },
  );
  await store.transaction((tx) => tx.marks.put(MARK, JSON.stringify(kept)));
}

export async function rememberedClusters(store: Pick<OpenedStore, 'transaction'>): Promise<readonly Remembered[]> {
  const text = await store.transaction((tx) => tx.marks.get(MARK));
  return text === undefined ? [] : (JSON.parse(text) as readonly Remembered[]);
}

/** A cluster that is known and cannot be asked now, with the scopes it had. */
export function outOfReach(name: string, remembered: readonly Remembered[], why: string): ClusterSettings {
  return { ...unnamedCluster(name, why), ...remembered.find((one) => one.name === name) };
}
