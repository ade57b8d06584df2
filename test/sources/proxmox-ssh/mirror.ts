import type { Simulator } from '../../../src/simulator/simulator.js';
import { ask, type Row, rows } from '../../simulator/asking.js';
import type { FakeNode, Folder } from './fake-node.js';

/** Makes a fake node say over SSH what the simulated cluster says over its API. */
export async function mirror(simulator: Simulator, node: FakeNode): Promise<void> {
  for (const path of ['/cluster/resources', '/cluster/status', '/version'])
    node.answer(path, (await ask(simulator, path)).data);
  const listed = await rows(simulator, '/cluster/resources');
  for (const { node: name } of listed.filter(({ type }) => type === 'node'))
    node.answer(
      `/nodes/${String(name)}/qemu --full 1`,
      (await ask(simulator, `/nodes/${String(name)}/qemu?full=1`)).data,
    );
  for (const { type, node: name, vmid } of listed.filter((each) => each.type === 'qemu' || each.type === 'lxc')) {
    const { data } = await ask(simulator, `/nodes/${String(name)}/${String(type)}/${String(vmid)}/config`);
    const folder: Folder = type === 'lxc' ? 'lxc' : 'qemu-server';
    node.conf(String(name), folder, Number(vmid), confText(folder, data as Row));
  }
}

/** The file behind a config: some of it still pending, one device pending its end, and a snapshot of other times. */
function confText(folder: Folder, config: Row): string {
  const { digest: _, description: __, lxc, cores, ...options } = config;
  const raw = Array.isArray(lxc) ? (lxc as [string, string][]).map(([key, value]) => `${key}: ${value}`) : [];
  const lines = Object.entries(options).map(([key, value]) => `${key}: ${String(value)}`);
  return [
    ...[
      '#made for a test%0Anet0%3A none',
      ...lines,
      'cores: 99',
      'net30: virtio=BC:24:11:FF:FF:FF,bridge=vmbr0',
      ...raw,
    ],
    ...['', folder === 'lxc' ? '[pve:pending]' : '[PENDING]', `cores: ${String(cores)}`, 'delete: net30'],
    ...['', '[before]', 'cores: 98', 'net0: virtio=BC:24:11:FF:FF:FE,bridge=vmbr9', 'name: earlier', ''],
  ].join('\n');
}
