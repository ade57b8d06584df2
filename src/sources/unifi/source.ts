import type { Mac } from '../../domain/mac.js';
import type { Outcome, Progress } from '../../domain/observation.js';
import type { UnifiClient as Client, ServiceObservation } from '../../domain/record.js';
import type { UnifiSettings } from '../../domain/settings.js';
import { brokenService, PassFailure, servicePass } from '../service-pass.js';
import { type ClassicList, classicList } from './classic-lists.js';
import { classicPass, type Pass } from './classic-pass.js';
import { type UnifiNeeds, unifiClient } from './client.js';
import { integrationPass } from './integration-pass.js';

/** One site of a UniFi controller: its devices, its networks, and the clients they see. */
export interface UnifiSource {
  /** One pass. Unreachable is an outcome; only cancelling throws (the signal's reason). */
  collect(request: { readonly progress: Progress }, signal: AbortSignal): Promise<Outcome<ServiceObservation>>;
  close(): Promise<void>;
}

export function unifiSource(settings: UnifiSettings, needs: UnifiNeeds): UnifiSource {
  if (settings.broken !== null) return brokenService(settings.broken, needs.now);
  const client = unifiClient(settings, needs);
  const lastWords = new Map<Mac, Client>();
  const read = async (pass: Pass) => {
    client.begin();
    return settings.login.kind === 'password' ? classicPass(pass) : keyPass(pass);
  };
  return {
    collect: ({ progress }, signal) =>
      servicePass(needs.now, signal, (ask) => read({ settings, client, now: needs.now, ask, progress, lastWords })),
    close: () => client.close(),
  };
}

/** A recent console opens the old paths to a key too, and they tell more; else the key has an API of its own. */
async function keyPass(pass: Pass): Promise<ServiceObservation> {
  const first = await oldPath(pass);
  return first?.kind === 'rows' ? classicPass(pass, first) : integrationPass(pass);
}

/** undefined: a page of HTML where the list should be; this console has the path for people only. */
async function oldPath({ client, settings, ask }: Pass): Promise<ClassicList | undefined> {
  try {
    return await classicList(client, settings, 'stat/device', ask);
  } catch (failed) {
    if (!(failed instanceof PassFailure) || client.console() === undefined) throw failed;
    return undefined;
  }
}
