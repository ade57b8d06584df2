import { Agent, request } from 'undici';
import type { SimulatedCluster } from '../../src/simulator/simulator.js';
import { serveParent } from './child.js';
import { type Cost, costOf } from './measure.js';

export interface LoopOrder {
  readonly cluster: SimulatedCluster;
  readonly paths: readonly string[];
  /** Requests under way at once. */
  readonly width: number;
}

/** What a loop costs that checks nothing and keeps nothing; in a process of its own, as the gateway is. */
serveParent<LoopOrder, Cost>(async (order) => (await costOf(() => bareLoop(order))).cost);

async function bareLoop({ cluster, paths, width }: LoopOrder): Promise<void> {
  // Unpinned, for the bench alone.
  const dispatcher = new Agent({ connections: width, connect: { rejectUnauthorized: false } });
  const headers = { authorization: `PVEAPIToken=${cluster.tokenId}=${cluster.tokenSecret}` };
  let next = 0;
  const worker = async () => {
    while (next < paths.length) {
      const path = paths[next++];
      const { body } = await request(`${cluster.url}/api2/json${path}`, { dispatcher, headers });
      await body.json();
    }
  };
  try {
    await Promise.all(Array.from({ length: width }, worker));
  } finally {
    await dispatcher.close();
  }
}
