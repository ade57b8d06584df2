import type { Connection, ServerChannel } from 'ssh2';
import type { PathFault } from '../fault-switches.js';
import type { Faults } from '../faults.js';
import { failed, type Host, type Ran, run } from './ssh-programs.js';
import { sudoAllows } from './ssh-sudo.js';
import { type Command, commandOf } from './ssh-words.js';

export interface Execution {
  readonly channel: ServerChannel;
  readonly connection: Connection;
  readonly user: string;
  readonly line: string;
}

/** Takes each command through sudo, faults and its program, and sends what came of it. */
export class Executions {
  readonly counts = new Map<string, number>();
  readonly #host: Omit<Host, 'isRoot'>;
  readonly #faults: Faults;
  readonly #waiting = new Set<NodeJS.Timeout>();

  constructor(host: Omit<Host, 'isRoot'>, faults: Faults) {
    this.#host = host;
    this.#faults = faults;
  }

  close(): void {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }

  take(execution: Execution): void {
    const command = commandOf(execution.line);
    const words = command === undefined ? execution.line : [command.program, ...command.args].join(' ');
    this.counts.set(words, (this.counts.get(words) ?? 0) + 1);
    const fault = this.#faults.take(words);
    if (this.#host.sight.estate.node(this.#host.node.name)?.state === 'offline' || fault?.does === 'reset') {
      execution.connection.end();
      return;
    }
    if (fault?.does === 'hang') return;
    const ran = this.#broken(fault, command) ?? this.#run(command, execution.user);
    const delay = (ran.delayMs ?? 0) + this.#faults.now.slowMs;
    const deliver = () => send(execution, ran, fault?.does === 'truncate');
    if (delay === 0) {
      deliver();
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      deliver();
    }, delay);
    this.#waiting.add(timer);
  }

  #broken(fault: PathFault | undefined, command: Command | undefined): Ran | undefined {
    if (fault?.does === 'login-page') return { code: 0, stdout: 'Your password expires in 3 days.\n', stderr: '' };
    if (fault?.does === 'error') return failed(255, fault.reason ?? 'ipcc_send_rec[1] failed: Connection refused');
    return this.#faults.now.status500 && command?.program === 'pvesh'
      ? failed(255, 'unable to read statistics - got timeout')
      : undefined;
  }

  #run(command: Command | undefined, user: string): Ran {
    if (command === undefined) return failed(2, 'sh: 1: Syntax error: only plain commands are simulated');
    const { sudo, whole, program, args } = command;
    if (sudo && user !== 'root' && !sudoAllows(whole)) return failed(1, 'sudo: a password is required');
    const missing = this.#faults.now.programsMissing.includes(program);
    const host = { ...this.#host, isRoot: sudo || user === 'root' };
    return (missing ? undefined : run(program, args, host)) ?? notFound(program);
  }
}

function notFound(program: string): Ran {
  return failed(127, `/usr/bin/timeout: failed to run command ‘${program}’: No such file or directory`);
}

function send({ channel, connection }: Execution, { code, stdout, stderr }: Ran, truncated: boolean): void {
  if (truncated) {
    const whole = Buffer.from(stdout, 'utf8');
    channel.write(whole.subarray(0, Math.floor(whole.length / 2)), () => connection.end());
    return;
  }
  if (stderr !== '') channel.stderr.write(stderr);
  const end = () => {
    channel.exit(code);
    channel.end();
  };
  if (stdout === '') end();
  else channel.write(stdout, end);
}
