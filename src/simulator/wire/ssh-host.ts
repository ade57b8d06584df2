import { timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel } from 'ssh2';
import type { Faults } from '../faults.js';
import { newSshKey, type SshIdentity, type SshKey } from '../ssh-keys.js';
import { Executions } from './ssh-executions.js';
import type { Host } from './ssh-programs.js';

/** Who may sign in, with the one key; whoever is not root runs through sudo what root alone may do. */
export const SSH_USERS = ['root', 'it-read'] as const;

export interface SshHostNeeds {
  readonly host: Omit<Host, 'isRoot'>;
  readonly faults: Faults;
  readonly identity: SshIdentity;
  /** 0: any free one. */
  readonly port: number;
}

/** One node over SSH, on the loopback. */
export interface SshHost {
  readonly port: number;
  /** Commands so far, as `pvesh get /version --output-format json`. */
  commands(): ReadonlyMap<string, number>;
  forgetCommands(): void;
  stop(): Promise<void>;
}

/** Starts it; rejects where the port is taken. */
export async function startSshHost(needs: SshHostNeeds): Promise<SshHost> {
  const { faults, host, identity } = needs;
  const executions = new Executions(host, faults);
  const sockets = new Set<Socket>();
  const own = serverWith(identity.host, identity, executions);
  let strange: ssh2.Server | undefined;
  const door = createServer((socket) => {
    socket.on('error', () => {});
    if (isDown(needs)) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Who is hung takes the connection, and says not even what it is.
    if (faults.now.nodesHung.includes(host.node.name)) return;
    const isStrange = faults.now.wrongHostKeys.includes(host.node.name);
    if (isStrange) strange ??= serverWith(newSshKey(), identity, executions);
    (isStrange ? strange : own)?.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    door.once('error', reject);
    door.listen(needs.port, '127.0.0.1', () => {
      door.off('error', reject);
      resolve();
    });
  });
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  let before = conditionOf(needs);
  const stopListening = faults.onChange(() => {
    const now = conditionOf(needs);
    if (now !== before) hangUp();
    before = now;
  });
  return {
    port: (door.address() as AddressInfo).port,
    commands: () => executions.counts,
    forgetCommands: () => executions.counts.clear(),
    stop: () =>
      new Promise((resolve) => {
        stopListening();
        executions.close();
        door.close(() => resolve());
        hangUp();
      }),
  };
}

function isDown({ host, faults }: SshHostNeeds): boolean {
  const state = host.sight.estate.node(host.node.name)?.state;
  return state === 'offline' || state === undefined || faults.now.nodesDown.includes(host.node.name);
}

/** What holds for a whole connection: one that began under another condition is ended. */
function conditionOf({ host: { node }, faults: { now } }: SshHostNeeds): string {
  return [now.nodesDown, now.nodesHung, now.wrongHostKeys].map((names) => names.includes(node.name)).join();
}

function serverWith(hostKey: SshKey, { client }: SshIdentity, executions: Executions): ssh2.Server {
  const parsed = ssh2.utils.parseKey(client.publicKey);
  if (parsed instanceof Error) throw parsed;
  const known = Array.isArray(parsed) ? parsed[0] : parsed;
  return new ssh2.Server({ hostKeys: [hostKey.privateKey], ident: 'OpenSSH_10.0p2' }, (connection) => {
    serve(connection, known, executions);
  });
}

function serve(connection: Connection, known: ParsedKey | undefined, executions: Executions): void {
  let user = '';
  connection.on('error', () => {});
  connection.on('authentication', (context) => {
    if (!isKnown(context, known)) {
      context.reject(['publickey']);
      return;
    }
    user = context.username;
    context.accept();
  });
  connection.on('session', (accept) => {
    const session = accept();
    session.on('exec', (acceptExec, _, { command }) => {
      const channel: ServerChannel = acceptExec();
      channel.on('error', () => {});
      executions.take({ channel, connection, user, line: command });
    });
    session.on('signal', (acceptSignal) => acceptSignal?.());
  });
}

function isKnown(context: AuthContext, known: ParsedKey | undefined): boolean {
  if (context.method !== 'publickey' || known === undefined) return false;
  if (!SSH_USERS.some((user) => user === context.username) || context.key.algo !== known.type) return false;
  const wanted = known.getPublicSSH();
  if (context.key.data.length !== wanted.length || !timingSafeEqual(context.key.data, wanted)) return false;
  // At first it is only asked whether this key would do.
  if (context.signature === undefined || context.blob === undefined) return true;
  return known.verify(context.blob, context.signature, context.hashAlgo) === true;
}
