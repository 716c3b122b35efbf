/** A forward proxy for HTTP that answers each request later and passes so many bytes a second per connection, both ways. */
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

interface Pace {
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

export async function slowProxy({ delayMs, bytesPerSecond }: Pace): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    await pause(delayMs);
    const onward = httpRequest(request.url ?? '', { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(paced(bytesPerSecond)).pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(paced(bytesPerSecond)).pipe(onward);
  });
  // What Node's fetch asks of a proxy, of plain HTTP too: a tunnel. It pays the delay once.
  server.on('connect', async (request, socket, head) => {
    await pause(delayMs);
    const [host = '', port = '80'] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(paced(bytesPerSecond)).pipe(onward);
      onward.pipe(paced(bytesPerSecond)).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Passes bytes on when their time has come. */
function paced(bytesPerSecond: number): Transform {
  let due = performance.now();
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      due = Math.max(due, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
      // A timer is no finer than a few milliseconds: small debts are gathered.
      if (due - performance.now() > 5) await pause(due - performance.now());
      done(null, chunk);
    },
  });
}
