import type { DriftFindingKind, Severity, Subject } from '../finding.js';
import type { KeptRecord, NpmCertificate } from '../record.js';
import { type ChangeInterval, DAY, type Instant, isoTime } from '../time.js';
import type { GuestView } from '../view.js';
import { guestsBehind } from './proxy-targets.js';
import { isCovered, recordChange, recordsOf, serviceEvidence } from './services.js';
import { so } from './telling.js';
import { AGREES, DOUBT, type Rule, type Verdict, type World } from './world.js';

const KIND: DriftFindingKind = 'CERTIFICATE_EXPIRING';

/** A certificate that ends within the policy's days, or has ended; also one that no proxy host uses: the proxy renews that too. */
export const certificateExpiring: Rule = {
  kind: KIND,

  *candidates(world) {
    for (const { service, key } of recordsOf(world.view, 'npm.certificate'))
      yield { subject: { kind: 'CERTIFICATE', id: `${service}/${key}` }, field: '' };
  },

  judge(world, subject) {
    const slash = subject.id.lastIndexOf('/');
    const source = `npm:${subject.id.slice(0, slash)}`;
    if (!isCovered(world, source)) return DOUBT;
    const record = world.view.records['npm.certificate'].get(`${source} ${subject.id.slice(slash + 1)}`);
    if (record === undefined) return AGREES;
    const { notAfter } = record.body;
    if (notAfter === null) return DOUBT;
    const warnsAt = notAfter - world.policy.certificates.warningDays * DAY;
    if (world.now < warnsAt) return { kind: 'agrees', due: warnsAt };
    return expiring(world, subject, record, { notAfter, warnsAt });
  },
};

interface Ends {
  readonly notAfter: Instant;
  readonly warnsAt: Instant;
}

function expiring(
  world: World,
  subject: Subject,
  record: KeptRecord<NpmCertificate>,
  { notAfter, warnsAt }: Ends,
): Verdict {
  const { name, domainNames } = record.body;
  const criticalAt = notAfter - world.policy.certificates.criticalDays * DAY;
  const uses = usersOf(world, record);
  const called = domainNames.length > 0 ? domainNames.join(', ') : name;
  const used = uses.names.length === 0 ? 'no proxy host uses it' : `used by ${uses.names.join(', ')}`;
  const verdict = so(world, {
    kind: KIND,
    subject,
    field: '',
    declared: null,
    observed: isoTime(notAfter),
    declaredBy: [],
    evidence: [
      serviceEvidence(world, record.source, daysLeft(notAfter, world.now)),
      serviceEvidence(world, record.source, used),
    ],
    message: `The certificate for ${called} ends at ${isoTime(notAfter)}`,
    guests: uses.guests,
    clusters: [...new Set(uses.guests.map((guest) => guest.cluster))],
    changes: [onset(recordChange(world, record), warnsAt)],
    swallowers: [],
  });
  if (verdict.kind !== 'so') return verdict;
  const severity = severityAt(world, world.now >= criticalAt);
  return {
    ...verdict,
    difference: { ...verdict.difference, severity },
    due: world.now < criticalAt ? criticalAt : null,
  };
}

/** A severity that the policy gives to the kind holds throughout; else it steps up. */
function severityAt(world: World, isCritical: boolean): Severity {
  return world.policy.severities[KIND] ?? (isCritical ? 'CRITICAL' : 'WARNING');
}

/** It begins by the calendar; or with the certificate itself, if that came late already. */
function onset(change: ChangeInterval, warnsAt: Instant): ChangeInterval {
  return (change.before ?? 0) > warnsAt ? change : { after: warnsAt, before: warnsAt };
}

function daysLeft(notAfter: Instant, now: Instant): string {
  const days = Math.floor(Math.abs(notAfter - now) / DAY);
  const text = days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
  return notAfter > now ? `${text} left` : `ended ${text} ago`;
}

/** The enabled proxy hosts and redirections that show a certificate, and the guests behind them. */
function usersOf(world: World, { source, body: { id } }: KeptRecord<NpmCertificate>) {
  const names: string[] = [];
  const guests = new Set<GuestView>();
  for (const proxy of recordsOf(world.view, 'npm.proxy_host')) {
    if (proxy.source !== source || !proxy.body.enabled || proxy.body.certificateId !== id) continue;
    names.push(...proxy.body.domainNames);
    for (const guest of guestsBehind(world, proxy.body)) guests.add(guest);
  }
  for (const { source: own, body } of recordsOf(world.view, 'npm.redirection'))
    if (own === source && body.enabled && body.certificateId === id) names.push(...body.domainNames);
  // In one order, whichever of them this replica came to know first.
  return { names: names.sort(), guests: [...guests].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}
