import { domainToASCII } from 'node:url';
import { createTransport } from 'nodemailer';
import { ipAddress, isRoutable } from '../domain/address.js';
import type { MailTarget } from '../domain/notify.js';
import type { Secret } from '../domain/settings.js';
import { isLocalName } from '../domain/target-address.js';
import { NO_SMTP } from '../domain/target-lack.js';
import { SECOND } from '../domain/time.js';
import type { Message } from '../store/delivery-words.js';
import { mailBody, type Refusal } from './recipients.js';
import type { Attempt } from './webhook.js';

/** Sends one message to everybody that the target names, over a connection of its own. */
export type SendMail = (target: MailTarget, message: Message, signal: AbortSignal) => Promise<Attempt>;

const STEP_WITHIN = 10 * SECOND;
/** A server that dawdles in every step is given up all the same. */
const SENT_WITHIN = 30 * SECOND;

/** `smtpUrl` null: no mail can be sent, and each attempt says so. */
export function mailer(smtpUrl: Secret | null): SendMail {
  return async (target, message, signal) => {
    if (smtpUrl === null) return { kind: 'failed', reason: NO_SMTP };
    const url = new URL(smtpUrl.reveal());
    const limit = AbortSignal.any([signal, AbortSignal.timeout(SENT_WITHIN)]);
    const transport = createTransport({
      url: url.href,
      connectionTimeout: STEP_WITHIN,
      greetingTimeout: STEP_WITHIN,
      socketTimeout: STEP_WITHIN,
      dnsTimeout: STEP_WITHIN,
      // A password goes over an encrypted line, or to this machine.
      requireTLS: url.protocol === 'smtp:' && url.username !== '' && !isHere(url.hostname),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const { to = target.to } = mailBody(message);
    const given = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new Error(`it was not done within ${SENT_WITHIN / SECOND} s`));
      if (limit.aborted) giveUp();
      limit.addEventListener('abort', giveUp, { once: true });
    });
    try {
      const sent = await Promise.race([transport.sendMail(mailOf(target, message, to, url)), given]);
      const refusals = refusalsIn(sent.rejectedErrors ?? [], to, url);
      if (refusals.length > 0) return refused(refusals, sent.accepted.length, url);
      return { kind: 'delivered', status: sent.response.slice(0, 80) };
    } catch (cause) {
      // None was taken. An answer to anything but a recipient is about the mail, or about us.
      if (cause instanceof Error && 'command' in cause && cause.command === 'RCPT TO') {
        const refusals = refusalsIn('rejectedErrors' in cause ? cause.rejectedErrors : [], to, url);
        if (refusals.length > 0) return refused(refusals, 0, url);
      }
      const words = cause instanceof Error ? cause.message : String(cause);
      return { kind: 'failed', reason: withoutSecrets(`${url.host}: ${words.slice(0, 300)}`, url) };
    } finally {
      transport.close();
    }
  };
}

/** Of what nodemailer says of each recipient that a server refused: an Error with its address and the server's answer. */
function refusalsIn(errors: unknown, to: readonly string[], url: URL): readonly Refusal[] {
  return (Array.isArray(errors) ? errors : []).flatMap((error: unknown) => {
    if (!(error instanceof Error) || !('recipient' in error)) return [];
    const response = 'response' in error && typeof error.response === 'string' ? error.response : error.message;
    const answer = withoutSecrets(response.slice(0, 200), url);
    const asked = String(error.recipient);
    const address = to.find((written) => asAsked(written) === asAsked(asked)) ?? asked;
    return { address, answer, isFinal: /^5\d\d/.test(response) };
  });
}

/** The server is asked for the host in lower case, and in ASCII. */
function asAsked(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  return address.slice(0, at) + domainToASCII(address.slice(at));
}

function refused(refusals: readonly Refusal[], taken: number, { host }: URL): Attempt {
  const whom = refusals.map(({ address, answer }) => `${address} (${answer})`).join(', ');
  const others = taken > 0 ? '; the others were told' : '';
  return { kind: 'refused', reason: `${host} refused ${whom.slice(0, 1_000)}${others}`, taken, refusals };
}

function mailOf(target: MailTarget, message: Message, to: readonly string[], smtp: URL) {
  const { id, topic } = message;
  const { subject, text } = mailBody(message);
  return {
    from: target.from ?? fromOf(smtp),
    to: [...to],
    subject,
    text,
    // The same over all attempts, so that a mail server can tell a second one.
    messageId: `<${id}@sankofa-it>`,
    headers: { 'X-Sankofa-Event': topic, 'X-Sankofa-Delivery': id, 'Auto-Submitted': 'auto-generated' },
  };
}

/** The user where that is a mail address, else a name at the server's host. */
function fromOf(smtp: URL): string {
  const user = decodeURIComponent(smtp.username);
  if (/^[^\s@]+@[^\s@]+$/.test(user)) return user;
  const host = smtp.hostname.replace(/^\[|\]$/g, '');
  const literal = ipAddress(host);
  return `sankofa-it@${literal === undefined ? host : literal.includes(':') ? `[IPv6:${literal}]` : `[${literal}]`}`;
}

function isHere(hostname: string): boolean {
  const literal = ipAddress(hostname.replace(/^\[|\]$/g, ''));
  return literal === undefined ? isLocalName(hostname) : !isRoutable(literal);
}

/** Servers repeat what they were told. */
function withoutSecrets(text: string, { password }: URL): string {
  const secrets = [password, decodeURIComponent(password)].filter((word) => word !== '');
  return secrets.reduce((shown, word) => shown.replaceAll(word, '[secret]'), text);
}
