import { graphqlEstate } from './estate.js';

/** One server of the bench in a process of its own; its parent asks for its processor time, and ends it by leaving. */
const SERVERS: Readonly<Record<string, () => Promise<string>>> = {
  // Each loads its own libraries and no other's: decorators register types for the whole process.
  ours: async () => (await import('./ours.js')).serveOurs(graphqlEstate()),
  kept: async () => (await import('./ours.js')).serveOurs(graphqlEstate(), true),
  documented: async () => (await import('./documented.js')).serveDocumented(graphqlEstate()),
  stringify: async () => (await import('./stringify.js')).serveStringify(graphqlEstate()),
};

const serve = SERVERS[process.argv[2] ?? ''];
if (serve === undefined) throw new Error(`there is no server ${process.argv[2]}`);
process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000, rssMb: process.memoryUsage.rss() / 2 ** 20 });
});
process.send?.({ url: await serve() });
