import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InventoryView } from '../../../src/domain/view.js';
import { type PlainFinding, plainRows, type Rows } from './rows.js';

/** The least that an answer costs which is not kept: objects made anew, written by JSON.stringify. No query, no types, no key. */
export async function serveStringify(view: InventoryView): Promise<string> {
  const rows = plainRows(view);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { variables } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { variables: { first: number } };
      const body = JSON.stringify({ data: { guests: { nodes: answer(rows, variables.first) } } });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

function answer(rows: Rows, first: number) {
  return rows.guests.slice(0, first).map((guest) => {
    const { id, cluster, vmid, name, kind, status, template, tags, cores, memoryBytes, diskBytes, pool } = guest;
    const leaves = { id, cluster, vmid, name, kind, status, template, tags, cores, memoryBytes, diskBytes, pool };
    const node = rows.nodes.get(guest.nodeId);
    return Object.assign(leaves, {
      node: node === undefined ? null : { id: node.id, name: node.name, status: node.status },
      findings: (rows.findings.get(id) ?? []).map(findingOf),
    });
  });
}

function findingOf({ id, kind, severity, message }: PlainFinding): PlainFinding {
  return { id, kind, severity, message };
}
