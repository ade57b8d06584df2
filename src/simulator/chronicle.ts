/** One task as `/cluster/tasks` tells it. Times are seconds. */
export interface Task {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  readonly starttime: number;
  readonly endtime: number;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly status: string;
}

export interface LogLine {
  readonly uid: number;
  readonly time: number;
  readonly node: string;
  readonly pid: number;
  readonly user: string;
  readonly tag: string;
  readonly pri: number;
  readonly msg: string;
}

const KEPT_TASKS = 100;
const KEPT_LINES = 500;

/** What a cluster remembers of what was done to it: its tasks, and its log. Newest last. */
export class Chronicle {
  readonly #now: () => number;
  #tasks: Task[] = [];
  #lines: LogLine[] = [];
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  tasks(): readonly Task[] {
    return this.#tasks;
  }

  lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** A task that began and ended now. `user` is root@pam where somebody at the web interface did it. */
  task(type: string, id: string, node: string, user = 'root@pam', status = 'OK'): void {
    this.#count += 1;
    const time = Math.floor(this.#now() / 1000);
    const pid = 2_000 + ((this.#count * 37) % 900_000);
    const pstart = 10_000 + this.#count * 211;
    const hex = (value: number) => (value >>> 0).toString(16).toUpperCase().padStart(8, '0');
    const upid = `UPID:${node}:${hex(pid)}:${hex(pstart)}:${hex(time)}:${type}:${id}:${user}:`;
    const task = { upid, node, pid, pstart, starttime: time, endtime: time, type, id, user, status };
    this.#tasks = [...this.#tasks.slice(1 - KEPT_TASKS), task];
    this.write(node, user, `starting task ${upid}`);
    this.write(node, user, `end task ${upid} ${status}`);
  }

  write(node: string, user: string, msg: string): void {
    this.#count += 1;
    const time = Math.floor(this.#now() / 1000);
    const line = { uid: this.#count, time, node, pid: 1_500 + (this.#count % 90), user, tag: 'pvedaemon', pri: 6, msg };
    this.#lines = [...this.#lines.slice(1 - KEPT_LINES), line];
  }

  /** What happened before anybody looked. */
  forget(): void {
    this.#tasks = [];
    this.#lines = [];
  }
}
