import { expect, it } from 'vitest';
import { METRICS, telemetry } from '../src/telemetry.js';

const SECRET = 'hunter2-hunter2';

it.each([
  { authorization: SECRET },
  { headers: { authorization: SECRET, cookie: SECRET } },
  { req: { headers: { 'x-api-key': SECRET } } },
  { cluster: { api: { tokenSecret: SECRET, password: SECRET } } },
  { key: { secret: SECRET }, token: SECRET },
])('a log line hides what lies under a secret’s name (%#)', (fields) => {
  const lines: string[] = [];
  const { log } = telemetry({ level: 'info', destination: { write: (line) => lines.push(line) } });
  log.info(fields, 'asked');
  expect(lines.join('')).not.toContain(SECRET);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, msg: 'asked' });
});

it('writes nothing below its level', () => {
  const lines: string[] = [];
  const { log } = telemetry({ level: 'warn', destination: { write: (line) => lines.push(line) } });
  log.info('x');
  expect(lines).toEqual([]);
});

it('exposes every metric it promises, with its help, and those of the process', async () => {
  const { exposition } = telemetry({ level: 'silent' });
  const { text } = await exposition();
  for (const { name, help, kind } of METRICS) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
    expect(name).toMatch(/^sankofa_[a-z_]+$/);
  }
  expect(text).toContain('process_resident_memory_bytes');
});

it('tells what runs, comparisons and requests came to', async () => {
  const { runFinished, compared, httpAnswered, exposition } = telemetry({ level: 'silent' });
  runFinished({ source: 'proxmox:main', mode: 'POLL', outcome: 'OBSERVED', seconds: 0.2, requests: 4 });
  runFinished({ source: 'proxmox:main', mode: 'POLL', outcome: 'OBSERVED', seconds: 0.2, requests: 5 });
  compared(0.05);
  httpAnswered({ method: 'GET', route: '/v1/inventory/guests/:vmid', status: 200 }, 0.002);
  const { text } = await exposition();
  expect(text).toContain('sankofa_collector_requests_total{source="proxmox:main"} 9');
  expect(text).toContain('sankofa_collector_run_seconds_count{source="proxmox:main",mode="POLL",outcome="OBSERVED"} 2');
  expect(text).toContain('sankofa_compare_seconds_count 1');
  expect(text).toContain('route="/v1/inventory/guests/:vmid",status="200"} 1');
});

it('reads ages and findings anew at each scrape, and forgets what retired', async () => {
  const { readAtScrape, exposition } = telemetry({ level: 'silent' });
  const findings = [{ kind: 'NAME_DIFFERS', state: 'OPEN', count: 3 }];
  readAtScrape(() => ({ sources: [{ source: 'proxmox:main', up: true, ageSeconds: 12 }], findings }));
  const before = (await exposition()).text;
  expect(before).toContain('sankofa_collector_up{source="proxmox:main"} 1');
  expect(before).toContain('sankofa_collector_age_seconds{source="proxmox:main"} 12');
  expect(before).toContain('sankofa_drift_findings{kind="NAME_DIFFERS",state="OPEN"} 3');
  readAtScrape(() => ({ sources: [{ source: 'proxmox:edge', up: false, ageSeconds: null }], findings: [] }));
  const after = (await exposition()).text;
  expect(after).toContain('sankofa_collector_up{source="proxmox:edge"} 0');
  expect(after).not.toMatch(/proxmox:main|NAME_DIFFERS|age_seconds\{/);
});
