import { type DestinationStream, type Logger, pino } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Logger } from 'pino';

/** Every metric of ours, for the exposition and for the test that holds the manual to it. */
export const METRICS = [
  {
    name: 'sankofa_collector_run_seconds',
    kind: 'histogram',
    help: 'How long a run of a source took, in seconds',
    labels: ['source', 'mode', 'outcome'],
  },
  {
    name: 'sankofa_collector_requests_total',
    kind: 'counter',
    help: 'Requests that a source was asked',
    labels: ['source'],
  },
  {
    name: 'sankofa_collector_up',
    kind: 'gauge',
    help: '1 while the last attempt at a source succeeded, else 0',
    labels: ['source'],
  },
  {
    name: 'sankofa_collector_age_seconds',
    kind: 'gauge',
    help: 'Seconds since the last success of a source; absent before the first',
    labels: ['source'],
  },
  {
    name: 'sankofa_drift_findings',
    kind: 'gauge',
    help: 'Findings that are not resolved',
    labels: ['kind', 'state'],
  },
  {
    name: 'sankofa_compare_seconds',
    kind: 'histogram',
    help: 'How long a comparison of the estate with its declarations took, in seconds',
    labels: [],
  },
  {
    name: 'sankofa_pruned_rows_total',
    kind: 'counter',
    help: 'Rows that were deleted because they were older than the policy keeps',
    labels: ['what'],
  },
  {
    name: 'sankofa_http_request_seconds',
    kind: 'histogram',
    help: 'How long an HTTP request took to answer, in seconds',
    labels: ['method', 'route', 'status'],
  },
  {
    name: 'sankofa_websocket_sockets',
    kind: 'gauge',
    help: 'WebSocket connections open now',
    labels: [],
  },
  {
    name: 'sankofa_deliveries_total',
    kind: 'counter',
    help: 'Attempts to tell a target, and messages that became dead letters',
    labels: ['target', 'outcome'],
  },
  {
    name: 'sankofa_delivery_failing',
    kind: 'gauge',
    help: '1 while the last attempt to tell a target failed, else 0; absent where another replica tells it',
    labels: ['target'],
  },
  {
    name: 'sankofa_dead_letters',
    kind: 'gauge',
    help: 'Messages that could not be delivered and wait for a person; absent where another replica tells the target',
    labels: ['target'],
  },
  {
    name: 'sankofa_policy_differs',
    kind: 'gauge',
    help: '1 while policy.yaml of this replica is not the policy in force, else 0',
    labels: [],
  },
] as const;

type MetricName = (typeof METRICS)[number]['name'];

/** What one run of a source came to. */
export interface RunMeasure {
  readonly source: string;
  readonly mode: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly requests: number;
}

/** What is only known when somebody asks: read once per scrape. */
export interface ScrapeReading {
  readonly sources: readonly { readonly source: string; readonly up: boolean; readonly ageSeconds: number | null }[];
  readonly findings: readonly { readonly kind: string; readonly state: string; readonly count: number }[];
}

export interface Telemetry {
  readonly log: Logger;
  runFinished(run: RunMeasure): void;
  compared(seconds: number): void;
  pruned(what: string, rows: number): void;
  /** `route` is the route's pattern, never the path: a path would make one series per caller's typo. */
  httpAnswered(request: { method: string; route: string; status: number }, seconds: number): void;
  /** `outcome`: delivered, failed, or dead. */
  delivered(target: string, outcome: string, count: number): void;
  targetFailing(target: string, isFailing: boolean): void;
  deadLetters(target: string, count: number): void;
  policyDiffers(isSo: boolean): void;
  socketOpened(): void;
  socketClosed(): void;
  /** Hands over the reading that each scrape asks for; a later one replaces it. */
  readAtScrape(read: () => ScrapeReading): void;
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
}

const SECRET_KEYS = [
  'authorization',
  'Authorization',
  '["x-api-key"]',
  'cookie',
  '["set-cookie"]',
  'password',
  'secret',
  'token',
  'tokenSecret',
  'apiKey',
];

/** pino has no "anywhere" in its paths: the key itself, and below one and two others (`req.headers.authorization`). */
const REDACTED = SECRET_KEYS.flatMap((key) =>
  key.startsWith('[') ? [key, `*${key}`, `*.*${key}`] : [key, `*.${key}`, `*.*.${key}`],
);

/** The log and the metrics, created once by app.ts. `destination` is for tests; without it lines go to standard output. */
export function telemetry(options: { level: string; destination?: DestinationStream }): Telemetry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metric = metricsIn(registry);
  let read: (() => ScrapeReading) | undefined;
  return {
    log: logger(options),
    runFinished(run) {
      metric.runs.observe({ source: run.source, mode: run.mode, outcome: run.outcome }, run.seconds);
      metric.requests.inc({ source: run.source }, run.requests);
    },
    compared: (seconds) => metric.compare.observe(seconds),
    pruned: (what, rows) => metric.pruned.inc({ what }, rows),
    httpAnswered: ({ method, route, status }, seconds) =>
      metric.http.observe({ method, route, status: String(status) }, seconds),
    delivered: (target, outcome, count) => metric.deliveries.inc({ target, outcome }, count),
    targetFailing: (target, isFailing) => metric.deliveryFailing.set({ target }, isFailing ? 1 : 0),
    deadLetters: (target, count) => metric.deadLetters.set({ target }, count),
    policyDiffers: (isSo) => metric.policyDiffers.set(isSo ? 1 : 0),
    socketOpened: () => metric.sockets.inc(),
    socketClosed: () => metric.sockets.dec(),
    readAtScrape(reading) {
      read = reading;
    },
    async exposition() {
      if (read !== undefined) gauge(metric, read());
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function logger({ level, destination }: { level: string; destination?: DestinationStream }): Logger {
  const options = { level, redact: { paths: REDACTED, censor: '[secret]' } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

type OurMetrics = ReturnType<typeof metricsIn>;

function metricsIn(registry: Registry) {
  const of = (name: MetricName) => {
    const found = METRICS.find((metric) => metric.name === name);
    return { name, help: found?.help ?? name, labelNames: [...(found?.labels ?? [])], registers: [registry] };
  };
  const slow = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
  return {
    runs: new Histogram({ ...of('sankofa_collector_run_seconds'), buckets: slow }),
    requests: new Counter(of('sankofa_collector_requests_total')),
    up: new Gauge(of('sankofa_collector_up')),
    age: new Gauge(of('sankofa_collector_age_seconds')),
    findings: new Gauge(of('sankofa_drift_findings')),
    compare: new Histogram({ ...of('sankofa_compare_seconds'), buckets: slow }),
    pruned: new Counter(of('sankofa_pruned_rows_total')),
    http: new Histogram({ ...of('sankofa_http_request_seconds'), buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30] }),
    sockets: new Gauge(of('sankofa_websocket_sockets')),
    deliveries: new Counter(of('sankofa_deliveries_total')),
    deliveryFailing: new Gauge(of('sankofa_delivery_failing')),
    deadLetters: new Gauge(of('sankofa_dead_letters')),
    policyDiffers: new Gauge(of('sankofa_policy_differs')),
  };
}

/** Reset first: a source that retired, or a kind with no finding left, must not keep its last figure. */
function gauge(metric: OurMetrics, reading: ScrapeReading): void {
  metric.up.reset();
  metric.age.reset();
  metric.findings.reset();
  for (const { source, up, ageSeconds } of reading.sources) {
    metric.up.set({ source }, up ? 1 : 0);
    if (ageSeconds !== null) metric.age.set({ source }, ageSeconds);
  }
  for (const { kind, state, count } of reading.findings) metric.findings.set({ kind, state }, count);
}
