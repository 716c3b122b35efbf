/**
 * Imports with conversion, beside `qemu-img convert -O raw` of the same file in the same run:
 * `node bench/import.ts [--virtual-mib 2048] [--data-mib 1024] [--repeat 3] [--into 1,3] [--pid PID]`.
 *
 * Drives whatever OS_* names, so that Glance can be measured with the same disks. Whether the service converts is its own setting;
 * the column `becomes` shows what it made. With `--pid`, the peak memory of that process tree above idle is reported too, and with
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
import { login, median } from './openstack.ts';

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: {
    'virtual-mib': { type: 'string', default: '2048' },
    'data-mib': { type: 'string', default: '1024' },
    repeat: { type: 'string', default: '3' },
    into: { type: 'string', default: '1,3' },
    disks: { type: 'string', default: 'plain,zlib,zstd' },
    pid: { type: 'string' },
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

const service = await login(process.env);

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  const answer = await fetch(service.url + path, {
    method,
    headers: { 'x-auth-token': service.token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status} ${await answer.text()}`);
  return answer;
}

async function stores(): Promise<string[]> {
  const answer = await fetch(`${service.url}/info/stores`, { headers: { 'x-auth-token': service.token } });
  if (!answer.ok) return [];
  return ((await answer.json()) as { stores: { id: string }[] }).stores.map((store) => store.id);
}

async function stage(id: string, path: string): Promise<number> {
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

async function measure(path: string, into: readonly string[]): Promise<Run> {
  const created = await call('POST', '/images', {
    name: 'bench-import',
    disk_format: 'qcow2',
    container_format: 'bare',
  });
  const { id } = (await created.json()) as { id: string };
  const staged = await stage(id, path);
  const cpuBefore = await cpu();
  const started = performance.now();
  await call('POST', `/images/${id}/import`, {
    method: { name: 'glance-direct' },
    ...(into.length === 0 ? {} : { stores: into }),
  });
  const percents = new Set<number>();
  for (;;) {
    const image = (await (await call('GET', `/images/${id}`)).json()) as Record<string, unknown>;
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
      await call('DELETE', `/images/${id}`);
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

const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
try {
  const raw = join(folder, 'disk.raw');
  await makeRaw(raw);
  const known = await stores();
  console.log(
    'disk    MiB   stores  becomes  stage s  import s  qemu-img s  import / qemu-img  CPU s  peak MiB  progress values',
  );
  for (const disk of values.disks.split(',')) {
    const path = join(folder, `${disk}.qcow2`);
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...(OPTIONS[disk] ?? []), raw, path]);
    const size = Math.round((await stat(path)).size / MIB);
    const floor: number[] = [];
    for (const into of values.into.split(',').map(Number)) {
      const runs: Run[] = [];
      const memory = values.pid === undefined ? undefined : await watchMemory(Number(values.pid));
      for (let n = 0; n < Number(values.repeat); n++) {
        runs.push(await measure(path, known.slice(0, into)));
        const started = performance.now();
        execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, join(folder, 'out.raw')]);
        floor.push(seconds(started));
      }
      const peak = memory === undefined ? '-' : (await memory.stop()).toFixed(0);
      const active = median(runs.map((run) => run.active));
      const columns = [
        disk.padEnd(7),
        String(size).padEnd(5),
        String(into).padEnd(7),
        (runs[0]?.becomes ?? '').padEnd(8),
        median(runs.map((run) => run.stage))
          .toFixed(2)
          .padEnd(8),
        active.toFixed(2).padEnd(9),
        median(floor).toFixed(2).padEnd(11),
        (active / median(floor)).toFixed(2).padEnd(18),
        median(runs.map((run) => run.cpu))
          .toFixed(1)
          .padEnd(6),
        peak.padEnd(9),
        String(median(runs.map((run) => run.percents.length))),
      ];
      console.log(columns.join(' '));
    }
    await rm(path);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
