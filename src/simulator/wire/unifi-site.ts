import { objectId } from '../unifi-gear.js';
import type { UnifiModel } from '../unifi-model.js';
import type { Answer } from './answers.js';
import { json } from './service.js';

/** The Network application, as far as its lists depend on it. */
export interface Application {
  readonly model: UnifiModel;
  readonly flavour: 'classic' | 'os';
  /** `9.5.21` */
  readonly version: string;
  readonly now: () => number;
}

/** A site by its internal name, as the paths have it. */
export const SITES = [
  { name: 'default', title: 'Default', isOurs: true },
  { name: 'k3x9d2ab', title: 'Branch', isOurs: false },
] as const;

export const SITE_ID = objectId('site', 'default');
/** When the site was set up. */
export const FOUNDED = Date.UTC(2024, 10, 4, 8);

/** What every row of a site has. */
export function owned(kind: string, key: string): { readonly _id: string; readonly site_id: string } {
  return { _id: objectId(kind, key), site_id: SITE_ID };
}

export function seconds(at: number): number {
  return Math.floor(at / 1000);
}

/** The envelope of all the older paths. */
export function told(rows: readonly object[]): Answer {
  return json(200, { meta: { rc: 'ok' }, data: rows });
}

/** The application's way to say no: the word for it is in `msg`. */
export function refused(status: number, msg: string): Answer {
  return json(status, { meta: { rc: 'error', msg }, data: [] });
}
