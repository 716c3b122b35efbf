import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Iam, RoleInput } from '../iam/iam.ts';
import { readText } from './request.ts';
import type { StrictS3 } from './strict.ts';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/** True for a request from this machine. */
export const isLoopback = (message: IncomingMessage): boolean => LOOPBACK.test(message.socket.remoteAddress ?? '');

/**
 * Answers `/_glimpse/s3/...` from this machine, JSON in and out; faults have their own path (server.ts).
 *
 * | Request | Does |
 * |---|---|
 * | `GET` / `DELETE /_glimpse/s3/report` | requests and bytes per operation, when strict / counts anew |
 * | `PUT /_glimpse/s3/iam/roles/{name}` | makes or replaces a role: `{accessKeyId?, policies}` |
 * | `GET /_glimpse/s3/iam/report` | what roles asked S3 for, and what it came to |
 */
export async function privatePath(
  { strict, iam }: { strict: StrictS3 | undefined; iam: Iam | undefined },
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = (status: number, value: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (!isLoopback(message)) return reply(403, { message: 'only for this machine' });
  const operation = `${message.method} ${(message.url ?? '').replace('/_glimpse/s3/', '')}`;
  const [, role] = /^PUT iam\/roles\/([^/?]+)$/.exec(operation) ?? [];
  try {
    if (role === undefined) return reply(...plain(operation, strict, iam));
    iam?.put(decodeURIComponent(role), JSON.parse(await readText(message)) as RoleInput);
    return reply(200, {});
  } catch (error) {
    return reply(400, { message: error instanceof Error ? error.message : String(error) });
  }
}

function plain(
  operation: string,
  strict: StrictS3 | undefined,
  iam: Iam | undefined,
): readonly [status: number, value: unknown] {
  switch (operation) {
    case 'GET report':
      return [200, { operations: strict?.report() ?? [] }];
    case 'DELETE report':
      strict?.reset();
      return [200, {}];
    case 'GET iam/report':
      return [200, { asked: iam?.report() ?? [] }];
    default:
      return [404, { message: `no such private path: ${operation}` }];
  }
}
