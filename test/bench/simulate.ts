import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../../src/simulator/simulator.js';

/** A simulated estate in a process of its own, so that its work is not counted as the gateway's. It ends with its parent. */
const [guests = '1500', nodes = '5'] = process.argv.slice(2);
process.on('disconnect', () => process.exit(0));
const declaredDir = await mkdtemp(join(tmpdir(), 'sankofa-bench-'));
const simulator = await startSimulator({
  guests: Number(guests),
  nodes: Number(nodes),
  clusters: 1,
  clusterName: 'bench',
  declaredDir,
  live: false,
  now: Date.now,
  waits: { agentMs: 1, proxyMs: 1, authMs: 1 },
});
process.send?.({ cluster: simulator.clusters[0], declaredDir });
