/**
 * How long the catalog takes to answer: `node bench/metadefs.ts [--namespaces 500] [--properties 200] [--requests 200]`.
 *
 * Drives whatever OS_* names. Fills the catalog up to so many namespaces and one that is large, asks for pages of 25 and for the
 * large one, one request after the other, and removes what it made. Times are milliseconds at the client.
 */
import { parseArgs } from 'node:util';
import { openSession } from '../cli/login/session.ts';

const { values } = parseArgs({
  options: {
    namespaces: { type: 'string', default: '500' },
    properties: { type: 'string', default: '200' },
    requests: { type: 'string', default: '200' },
  },
});
const client = await openSession(process.env);
const requests = Number(values.requests);

const small = Array.from({ length: Number(values.namespaces) }, (_, n) => `Bench::${n}`);
const large = 'Bench::Large';
const definition = (n: number) => ({
  title: `Property ${n}`,
  description: 'd'.repeat(80),
  type: 'string' as const,
  enum: ['a', 'b'],
});

async function time(ask: () => Promise<unknown>): Promise<string> {
  for (let warm = 0; warm < 20; warm++) await ask();
  const times: number[] = [];
  for (let request = 0; request < requests; request++) {
    const begun = performance.now();
    await ask();
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? Number.NaN).toFixed(1);
  return `median ${at(0.5)}  p95 ${at(0.95)}  max ${at(1)}`;
}

try {
  const filled = performance.now();
  for (const namespace of small) {
    await client.createNamespace({
      body: {
        namespace,
        visibility: 'public',
        description: 'a namespace of the benchmark',
        resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'hw_' }],
      },
    });
  }
  const properties = Object.fromEntries(
    Array.from({ length: Number(values.properties) }, (_, n) => [`property_${n}`, definition(n)]),
  );
  await client.createNamespace({ body: { namespace: large, visibility: 'public', properties } });
  console.log(`${small.length} namespaces made in ${Math.round(performance.now() - filled)} ms`);
  console.log(`list 25 of ${small.length}        ${await time(() => client.listNamespaces({ query: { limit: 25 } }))}`);
  const byName = { limit: 25, sort_key: 'namespace', sort_dir: 'asc', marker: 'Bench::250' };
  console.log(`list 25 by name, page 2+  ${await time(() => client.listNamespaces({ query: byName }))}`);
  console.log(
    `show ${values.properties} properties       ${await time(() => client.showNamespace({ params: { namespace: large } }))}`,
  );
} finally {
  for (const namespace of [...small, large])
    await client.deleteNamespace({ params: { namespace } }).catch(() => undefined);
}
