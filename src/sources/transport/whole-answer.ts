import type { Dispatcher } from 'undici';
import { onCancel } from './cancellation.js';
import { seconds, TransportError } from './transport-error.js';

export interface WholeAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: string;
}

export interface Attempt {
  readonly signal: AbortSignal;
  /** Longest life of it: undici bounds silence, but not a body that drips. */
  readonly longestMs: number;
}

/**
 * Sends one request and takes its answer whole. Undici's `request` makes a stream of each body; for thousands of small
 * answers the streams cost as much as all the rest. Throws undici's error, TransportError, or the signal's reason.
 */
export function wholeAnswer(
  through: Dispatcher,
  options: Dispatcher.DispatchOptions,
  attempt: Attempt,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    through.dispatch(options, new Collected(attempt, resolve, reject));
  });
}

class Collected implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: WholeAnswer) => void;
  readonly #reject: (thrown: unknown) => void;
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #reason = '';
  #headers: WholeAnswer['headers'] = {};
  /** Why it was ended from here. */
  #ended: Error | undefined;

  constructor(
    { signal, longestMs }: Attempt,
    resolve: (answer: WholeAnswer) => void,
    reject: (thrown: unknown) => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stopListening = onCancel(signal, () => this.#end(signal.reason));
    const tooLong = () => this.#end(new TransportError('timeout', `no whole answer within ${seconds(longestMs)}`));
    this.#timer = setTimeout(tooLong, longestMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended !== undefined) controller.abort(this.#ended);
  }

  onResponseStart(_: unknown, status: number, headers: WholeAnswer['headers'], reason = ''): void {
    // 100 to 199 only announce the answer.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    this.#reason = reason;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle();
    const body = textOf(this.#chunks);
    this.#resolve({ status: this.#status, reason: this.#reason, headers: this.#headers, body });
  }

  onResponseError(_: unknown, error: Error): void {
    this.#settle();
    this.#reject(error);
  }

  /** Also while no connection is there yet: then it is ended again as soon as one would take it. */
  #end(why: Error): void {
    this.#settle();
    this.#ended = why;
    this.#reject(why);
    this.#controller?.abort(why);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#stopListening();
  }
}

/** UTF-8, without a byte order mark. */
function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
