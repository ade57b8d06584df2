import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text, line by line as they came. */
  readonly lines: readonly string[];
}

export interface SmtpServer {
  readonly url: string;
  readonly mails: Mail[];
  /** What to answer to a recipient (left out: to each); 250 unless it says so. */
  refuse(reply: string | undefined, recipient?: string): void;
  hang(): void;
  close(): Promise<void>;
}

/** As much of RFC 5321 as a sender without TLS needs, over a real socket. */
export async function smtpServer(): Promise<SmtpServer> {
  const mails: Mail[] = [];
  const sockets = new Set<Socket>();
  const replies = new Map<string, string | undefined>();
  let isSilent = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (!isSilent) converse(socket, mails, (address) => replies.get(address) ?? replies.get('*'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    refuse: (words, recipient = '*') => {
      replies.set(recipient, words);
    },
    hang: () => {
      isSilent = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function converse(socket: Socket, mails: Mail[], refusal: (address: string) => string | undefined): void {
  let [from, to, lines]: [string, string[], string[] | undefined] = ['', [], undefined];
  let rest = '';
  const say = (text: string) => socket.write(`${text}\r\n`);
  const hear = (line: string): void => {
    if (lines !== undefined) {
      if (line !== '.') return void lines.push(line.replace(/^\./, ''));
      mails.push({ from, to, lines });
      [to, lines] = [[], undefined];
      return void say('250 queued');
    }
    const verb = line.slice(0, 4).toUpperCase();
    const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
    if (verb === 'MAIL') from = address;
    if (verb === 'RCPT' && refusal(address) === undefined) to.push(address);
    if (verb === 'DATA') lines = [];
    say(verb === 'DATA' ? '354 go on' : verb === 'RCPT' ? (refusal(address) ?? '250 fine') : '250 fine');
    if (verb === 'QUIT') socket.end();
  };
  socket.on('data', (data) => {
    const heard = `${rest}${data.toString('utf8')}`.split('\r\n');
    rest = heard.pop() ?? '';
    for (const line of heard) hear(line);
  });
  say('220 test');
}
