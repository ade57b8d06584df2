import type { PveVersion } from '../guest.js';

/** An answer about to be sent. `delayMs`: how long Proxmox itself would take to say it. */
export interface Answer {
  readonly status: number;
  /** The reason phrase: before 8.4 the only place where an error says why. */
  readonly reason: string;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly delayMs?: number;
}

export function data(text: string): Answer {
  return { status: 200, reason: 'OK', body: `{"data":${text}}` };
}

/** Errors of handlers and of checks; the JSON body has a `message` since libpve-http-server 5.2.0 (PVE 8.4). */
export function failure(version: PveVersion, status: number, message: string, errors?: Record<string, string>): Answer {
  const [reason = ''] = message.split('\n');
  const fields = [
    ...(errors === undefined ? [] : [`"errors":${JSON.stringify(errors)}`]),
    '"data":null',
    ...(version === '7.4' ? [] : [`"message":${JSON.stringify(`${message}\n`)}`]),
  ];
  return { status, reason, body: `{${fields.join(',')}}` };
}

export function badParameters(version: PveVersion, errors: Record<string, string>): Answer {
  return failure(version, 400, 'Parameter verification failed.', errors);
}

export function notImplemented(version: PveVersion, method: string, path: string): Answer {
  return failure(version, 501, `Method '${method} ${path}' not implemented`);
}

/** Several privileges of which any would do are told with a bar between them. */
export function forbidden(version: PveVersion, path: string, privileges: readonly string[]): Answer {
  return failure(version, 403, `Permission check failed (${path}, ${privileges.join('|')})`);
}

export function unauthorised(reason: string, delayMs = 0): Answer {
  return { status: 401, reason, body: '', delayMs };
}

/** What pveproxy says when it cannot reach the node that the call is for. */
export function nodeUnreachable(why: string, delayMs = 0): Answer {
  const reason = `Errors during connection establishment, proxy handshake: ${why}`;
  return { status: 595, reason, body: '', delayMs };
}

export function html(status: number, title: string): Answer {
  const body = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><div id="login"></div></body></html>\n`;
  return { status, reason: status === 200 ? 'OK' : title, body, type: 'text/html; charset=utf-8' };
}
