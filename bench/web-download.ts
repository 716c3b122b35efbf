/**
 * Throughput of a web-download from a server that limits each connection: `node bench/web-download.ts [--mib 256] [--mib-per-second 8]
 * [--connections 4] [--repeat 3]`.
 *
 * curl, the fetch step over one connection, and over several take turns; medians and their ratios to curl are printed. What is fetched
 * goes to a store in memory, hashed on the way, so that the server is what limits.
 */
import { execFile } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { fetchSource } from '../bytes/imports/fetch.ts';
import { importTask } from '../core/imports/report/import-task.ts';
import { anImage } from '../test/support/images.ts';
import { importRig } from '../test/support/memory/imports.ts';
import { createWeb } from '../web/web.ts';
import { halfCompressible } from './data.ts';
import { median } from './openstack.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const TICKS = 20;
const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    'mib-per-second': { type: 'string', default: '8' },
    connections: { type: 'string', default: '4' },
    repeat: { type: 'string', default: '3' },
  },
});
const rate = Number(values['mib-per-second']) * MIB;
const connections = Number(values.connections);
const file = Buffer.alloc(Number(values.mib) * MIB);
halfCompressible(file, 1);

/** Gives the file, or a part of it, at so many bytes per second over each connection. */
const limited: RequestListener = async ({ headers }, response) => {
  const [, first = 0, last = file.length - 1] = (/^bytes=(\d+)-(\d+)?$/.exec(headers.range ?? '') ?? []).map((text) =>
    text === undefined ? undefined : Number(text),
  );
  const isPart = headers.range !== undefined;
  response.writeHead(isPart ? 206 : 200, {
    ...{ etag: '"bench"', 'accept-ranges': 'bytes', 'content-length': last + 1 - first },
    ...(isPart ? { 'content-range': `bytes ${first}-${last}/${file.length}` } : {}),
  });
  const begun = performance.now();
  for (let at = first, tick = 1; at <= last && !response.destroyed; tick++) {
    const end = Math.min(last + 1, at + Math.ceil(rate / TICKS));
    response.write(file.subarray(at, end));
    at = end;
    await sleep(Math.max(0, begun + (tick * 1000) / TICKS - performance.now()));
  }
  response.end();
};

/** Seconds of the fetch step. */
async function fetchOver(uri: string, over: number): Promise<number> {
  const rig = importRig({
    import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] },
    web_download: { connections: over },
  });
  const image = anImage({ diskFormat: 'qcow2', containerFormat: 'bare' });
  await rig.deps.images.create(image);
  const task = await importTask(rig.deps, await rig.task(image, { name: 'web-download', uri }));
  const tools = { guard: async () => undefined, assertFits: () => undefined };
  const begun = performance.now();
  await fetchSource(rig.deps, task, tools, createWeb(rig.deps.config));
  return (performance.now() - begun) / 1000;
}

const curl = async (uri: string): Promise<number> =>
  Number((await run('curl', ['-sS', '-f', '-o', '/dev/null', '-w', '%{time_total}', uri])).stdout);

const server = createServer((request, response) => void limited(request, response));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk`;
const ways = {
  curl: () => curl(uri),
  'one connection': () => fetchOver(uri, 1),
  [`${connections} connections`]: () => fetchOver(uri, connections),
};
const seconds = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
for (let turn = 0; turn < Number(values.repeat); turn++)
  for (const [name, way] of Object.entries(ways)) seconds.get(name)?.push(await way());
const ofCurl = median(seconds.get('curl') ?? []);
for (const [name, all] of seconds) {
  const typical = median(all);
  const pace = (file.length / MIB / typical).toFixed(1);
  console.log(`${name}: ${pace} MiB/s, ${(ofCurl / typical).toFixed(2)} times curl`);
}
server.close();
process.exit(0);
