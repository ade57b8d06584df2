import type { HttpsAnswer, HttpsClient, HttpsRequest } from './https.js';
import { type Setback, TransportError } from './transport-error.js';

/** These come before anything is asked: the address alone is what they are about. */
const UNASKED: readonly Setback[] = ['dns', 'refused', 'unreachable', 'connect-timeout', 'tls', 'closed'];

/** What is said behind the words of a setback: the path alone, as what stands behind it is long and tells a person nothing. */
export function askedFor(request: string, setback: Setback): string {
  if (UNASKED.includes(setback)) return '';
  const [path] = request.split('?');
  return ` (asked for ${path})`;
}

/** Asks; where no answer comes, the error also says what was asked. Throws as `ask` does. */
export async function askNamed(https: Pick<HttpsClient, 'ask'>, request: HttpsRequest): Promise<HttpsAnswer> {
  try {
    return await https.ask(request);
  } catch (thrown) {
    if (!(thrown instanceof TransportError)) throw thrown;
    const { setback, message } = thrown;
    throw new TransportError(setback, `${message}${askedFor(request.path, setback)}`, thrown);
  }
}
