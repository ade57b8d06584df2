// A gateway's process as far as the embedded database is concerned: starts or attaches, says so in one line of JSON,
// and stays until SIGTERM (stops the database as a gateway would) or a kill. Plain JavaScript, for node runs it as it is.
import { runnerImport } from 'vite';

const [dataDir, systemDir] = process.argv.slice(2);
const { module } = await runnerImport('./src/store/embedded/start.ts', { configFile: false, logLevel: 'error' });
const embedded = await module.startEmbedded({ dataDir, systemDir, settings: { fsync: 'off' } });
const stay = setInterval(() => undefined, 60_000);
process.on('SIGTERM', async () => {
  await embedded.stop();
  clearInterval(stay);
});
console.log(JSON.stringify({ url: embedded.url, attached: embedded.attached, stateDir: embedded.stateDir }));
