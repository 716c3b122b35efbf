/**
 * Runs an embedded S3 as a process of its own: `node s3-launcher.ts DATA_DIR [OPTIONS_JSON]`, started with an IPC channel. Reports
 * `{ port }` when it serves, `{ error }` when it cannot, `{ event }` per object event; `{ rejectEvents: true }` makes it refuse events.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createS3, type S3Options } from '../../local/s3/server.ts';

const [dataDir = '', options = '{}'] = process.argv.slice(2);
let rejectEvents = false;

process.on('disconnect', () => process.exit(0));
process.on('message', (message: { rejectEvents?: boolean }) => {
  rejectEvents = message.rejectEvents ?? rejectEvents;
  process.send?.({ settings: { rejectEvents } });
});

const s3 = createS3({
  dataDir,
  ...(JSON.parse(options) as Partial<S3Options>),
  onEvent: (event) => {
    process.send?.({ event, rejected: rejectEvents });
    if (rejectEvents) throw new Error('refused by the test');
  },
});

try {
  await s3.ready;
  const server = createServer((message, response) => s3.handle(message, response));
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
} catch (error) {
  process.send?.({ error: (error as Error).message }, () => process.exit(1));
}
