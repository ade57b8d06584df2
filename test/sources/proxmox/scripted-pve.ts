import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Handler, json, type ScriptedServer, scriptedServer } from '../scripted-server.js';

/** What a path answers: content under `data`, or a whole handler. */
export type Reaction = Handler | { readonly data: unknown };

export interface ScriptedPve extends ScriptedServer {
  /** Answers by path without query, changed at will. A path with its query goes first. */
  readonly paths: Map<string, Reaction>;
  /** The requests since the last call, without the API's prefix, sorted. */
  asked(): readonly string[];
}

export const data = (content: unknown): Reaction => ({ data: content });

/** Proxmox' "no": the words in the reason phrase, and up to PVE 8.3 nowhere else. */
export const refuse =
  (status: number, words: string, body: unknown = { data: null }): Reaction =>
  (_, response) =>
    json(response, body, status, words);

export const silence: Reaction = () => {};

export const guest = (vmid: number, more: object = {}) => ({
  ...{ id: `qemu/${vmid}`, vmid, type: 'qemu', node: 'pve1', status: 'running', name: `g${vmid}`, template: 0 },
  ...{ maxcpu: 2, maxmem: 2048, maxdisk: 4096, uptime: 1000 },
  ...more,
});

export const container = (vmid: number, more: object = {}) => guest(vmid, { id: `lxc/${vmid}`, type: 'lxc', ...more });

export const nodeRow = (node: string, status = 'online') => ({ id: `node/${node}`, type: 'node', node, status });

export const member = (name: string, online: 0 | 1 = 1) => ({ type: 'node', name, online, ip: '10.0.0.1' });

/**
 * A small Proxmox on the loopback: two nodes and the guests that are given, each with a config with an agent.
 * What is not written answers 501, as the real one does.
 */
export async function scriptedPve(
  guests: readonly object[],
  certificate?: Parameters<typeof scriptedServer>[1],
): Promise<ScriptedPve> {
  const paths = new Map<string, Reaction>([
    ['/cluster/resources', data([...guests, nodeRow('pve1'), nodeRow('pve2')])],
    ['/cluster/status', data([{ type: 'cluster', name: 'lab', quorate: 1 }, member('pve1'), member('pve2')])],
    ['/cluster/tasks', data([])],
    ['/cluster/log', data([])],
    ['/version', data({ version: '9.1.1', release: '9.1', repoid: 'x' })],
  ]);
  const react = (request: IncomingMessage, response: ServerResponse) => {
    const full = (request.url ?? '').replace(/^\/api2\/json/, '');
    const reaction = paths.get(full) ?? paths.get(full.replace(/\?.*/, '')) ?? fallback(full);
    if (typeof reaction === 'function') reaction(request, response);
    else json(response, reaction);
  };
  const server = await scriptedServer(react, certificate);
  return {
    ...server,
    paths,
    asked: () =>
      server.seen
        .splice(0)
        .map((url) => url.replace('/api2/json', ''))
        .sort(),
  };
}

function fallback(path: string): Reaction {
  if (/\/qemu\/\d+\/config$/.test(path)) return data({ name: 'x', cores: 1, agent: '1', digest: 'd' });
  if (/\/lxc\/\d+\/config$/.test(path)) return data({ hostname: 'x', digest: 'd' });
  if (path.endsWith('/agent/network-get-interfaces')) return data({ result: [] });
  if (/\/lxc\/\d+\/interfaces$/.test(path)) return data([]);
  if (path.endsWith('/qemu?full=1')) return data([]);
  return refuse(501, `Method 'GET ${path}' not implemented`);
}
