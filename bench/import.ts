/**
 * Imports with conversion, beside `qemu-img convert -O raw` of the same file in the same run:
 * `node bench/import.ts [--virtual-mib 2048] [--data-mib 1024] [--repeat 3] [--into 1,3] [--disks plain,zlib,zstd]
 * [--pid PID] [--peer-openrc FILE]`.
 *
 * Drives whatever OS_* names. `--peer-openrc` names another service, say a Glance, which takes turns with the first on the same disks.
 * Whether a service converts is its own setting; the column `becomes` shows what it made. With `--pid`, the peak memory of that process tree above idle is reported too, and with
 * a service that shows os_glance_import_percent, how its progress ran.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { halfCompressible } from './data.ts';
import { treeCpuSeconds, watchMemory } from './memory.ts';
import { median, type Service, servicesToMeasure } from './openstack.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    'virtual-mib': { type: 'string', default: '2048' },
    'data-mib': { type: 'string', default: '1024' },
    repeat: { type: 'string', default: '3' },
    into: { type: 'string', default: '1,3' },
    disks: { type: 'string', default: 'plain,zlib,zstd' },
    pid: { type: 'string' },
    'peer-openrc': { type: 'string' },
  },
});

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  plain: [],
  zlib: ['-c'],
  zstd: ['-c', '-o', 'compression_type=zstd'],
};

interface Run {
  readonly stage: number;
  readonly active: number;
  /** CPU seconds of the service's processes while it imported; NaN without --pid. */
  readonly cpu: number;
  readonly becomes: string;
  /** Distinct values of os_glance_import_percent, in order. */
  readonly percents: readonly number[];
}

async function call(service: Service, method: string, path: string, body?: unknown): Promise<Response> {
  const answer = await fetch(service.url + path, {
    method,
    headers: { 'x-auth-token': service.token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${await answer.text()}`);
  return answer;
}

async function stores(service: Service): Promise<string[]> {
  const answer = await fetch(`${service.url}/info/stores`, { headers: { 'x-auth-token': service.token } });
  if (!answer.ok) return [];
  return ((await answer.json()) as { stores: { id: string }[] }).stores.map((store) => store.id);
}

async function stage(service: Service, id: string, path: string): Promise<number> {
  const started = performance.now();
  const answer = await fetch(`${service.url}/images/${id}/stage`, {
    method: 'PUT',
    headers: { 'x-auth-token': service.token, 'content-type': 'application/octet-stream' },
    body: Readable.toWeb(createReadStream(path, { highWaterMark: MIB })) as ReadableStream<Uint8Array>,
    duplex: 'half',
  });
  if (answer.status !== 204) throw new Error(`stage: HTTP ${answer.status} ${await answer.text()}`);
  return seconds(started);
}

async function measure(service: Service, path: string, into: readonly string[]): Promise<Run> {
  const created = await call(service, 'POST', '/images', {
    name: 'bench-import',
    disk_format: 'qcow2',
    container_format: 'bare',
  });
  const { id } = (await created.json()) as { id: string };
  const staged = await stage(service, id, path);
  const cpuBefore = await cpu();
  const started = performance.now();
  await call(service, 'POST', `/images/${id}/import`, {
    method: { name: 'glance-direct' },
    ...(into.length === 0 ? {} : { stores: into }),
  });
  const percents = new Set<number>();
  for (;;) {
    const image = (await (await call(service, 'GET', `/images/${id}`)).json()) as Record<string, unknown>;
    if (image['os_glance_import_percent'] !== undefined) percents.add(Number(image['os_glance_import_percent']));
    const done =
      image['os_glance_import_task'] === undefined && !['importing', 'uploading'].includes(String(image['status']));
    if (done) {
      const run = {
        stage: staged,
        active: seconds(started),
        cpu: (await cpu()) - cpuBefore,
        becomes: String(image['disk_format']),
        percents: [...percents],
      };
      await call(service, 'DELETE', `/images/${id}`);
      if (image['status'] !== 'active') throw new Error(`the import ended ${image['status']}`);
      return run;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const cpu = async (): Promise<number> => (values.pid === undefined ? Number.NaN : treeCpuSeconds(Number(values.pid)));
const seconds = (since: number): number => (performance.now() - since) / 1000;

async function makeRaw(path: string): Promise<void> {
  const virtual = Number(values['virtual-mib']) * MIB;
  const data = Number(values['data-mib']) * MIB;
  const file = await open(path, 'w');
  await file.truncate(virtual);
  const block = Buffer.alloc(4 * MIB);
  // Data and holes take turns, 4 MiB each, as long as there is data.
  const stride = Math.max(block.length, Math.floor(virtual / (data / block.length) / block.length) * block.length);
  for (let n = 0; n * block.length < data; n++) {
    halfCompressible(block, n);
    await file.write(block, 0, block.length, n * stride);
  }
  await file.close();
}

/** One conversion by qemu-img: what the work itself costs. Seconds. */
function convert(path: string, folder: string): number {
  const started = performance.now();
  execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, join(folder, 'out.raw')]);
  return seconds(started);
}

const COLUMNS = {
  disk: 6,
  MiB: 6,
  stores: 6,
  becomes: 8,
  'stage s': 8,
  'import s': 8,
  'qemu-img s': 10,
  'import / qemu-img': 17,
  'CPU s': 6,
  'peak MiB': 8,
  'progress values': 15,
  'peer becomes': 12,
  'peer stage s': 12,
  'peer import s': 13,
  'import / peer': 13,
} as const;

function print(cells: Partial<Record<keyof typeof COLUMNS, string>>): void {
  console.log(
    Object.entries(COLUMNS)
      .map(([name, width]) => (cells[name as keyof typeof COLUMNS] ?? '-').padEnd(width))
      .join(' ')
      .trimEnd(),
  );
}

const middle = (runs: readonly Run[], of: (run: Run) => number): number => median(runs.map(of));

interface Case {
  readonly disk: string;
  readonly path: string;
  readonly into: number;
}

/** The services in turn, then qemu-img, as often as asked. */
async function compare(services: readonly Service[], { disk, path, into }: Case, folder: string): Promise<void> {
  const runs: Run[][] = services.map(() => []);
  const floor: number[] = [];
  const memory = values.pid === undefined ? undefined : await watchMemory(Number(values.pid));
  for (let n = 0; n < Number(values.repeat); n++) {
    for (const [at, service] of services.entries())
      runs[at]?.push(await measure(service, path, (await stores(service)).slice(0, into)));
    floor.push(convert(path, folder));
  }
  const [own = [], peer] = runs;
  const active = middle(own, (run) => run.active);
  print({
    disk,
    MiB: String(Math.round((await stat(path)).size / MIB)),
    stores: String(into),
    becomes: own[0]?.becomes ?? '',
    'stage s': middle(own, (run) => run.stage).toFixed(2),
    'import s': active.toFixed(2),
    'qemu-img s': median(floor).toFixed(2),
    'import / qemu-img': (active / median(floor)).toFixed(2),
    'CPU s': middle(own, (run) => run.cpu).toFixed(1),
    ...(memory !== undefined && { 'peak MiB': (await memory.stop()).toFixed(0) }),
    'progress values': String(middle(own, (run) => run.percents.length)),
    ...(peer !== undefined && {
      'peer becomes': peer[0]?.becomes ?? '',
      'peer stage s': middle(peer, (run) => run.stage).toFixed(2),
      'peer import s': middle(peer, (run) => run.active).toFixed(2),
      'import / peer': (active / middle(peer, (run) => run.active)).toFixed(2),
    }),
  });
}

const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
try {
  const services = await servicesToMeasure(values['peer-openrc']);
  const raw = join(folder, 'disk.raw');
  await makeRaw(raw);
  print(Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, name])));
  for (const disk of values.disks.split(',')) {
    const path = join(folder, `${disk}.qcow2`);
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...(OPTIONS[disk] ?? []), raw, path]);
    for (const into of values.into.split(',').map(Number)) await compare(services, { disk, path, into }, folder);
    await rm(path);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
