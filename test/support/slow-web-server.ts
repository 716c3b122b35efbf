import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SlowWebServer {
  readonly url: string;
  /** Bytes of the body handed out so far. */
  sent(): number;
  close(): void;
}

/** Ticks per second at which bytes go out. */
const TICKS = 20;

/** Serves one file at a pace. @param bytesPerSecond by the share of the file that is out, 0 to 1 */
export async function slowWebServer(path: string, bytesPerSecond: (share: number) => number): Promise<SlowWebServer> {
  const file = await open(path);
  const { size } = await file.stat();
  let sent = 0;
  const server = createServer(async (_request, response) => {
    response.writeHead(200, { 'content-length': size });
    const begun = performance.now();
    for (let tick = 1; sent < size; tick++) {
      const length = Math.min(size - sent, Math.ceil(bytesPerSecond(sent / size) / TICKS));
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, sent);
      await new Promise<void>((resolve) => void response.write(buffer, () => resolve()));
      sent += length;
      await sleep(begun + (tick * 1000) / TICKS - performance.now());
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk`,
    sent: () => sent,
    close() {
      server.closeAllConnections();
      server.close();
      void file.close();
    },
  };
}
