import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from './aws-error.ts';

/**
 * Reads a whole request body. Throws `RequestEntityTooLargeException` (413) when it exceeds `limit` bytes, after draining
 * what the client still sends so that the answer reaches it.
 */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
    });
    req.on('end', () => {
      if (size > limit) {
        const message = `the request body of ${size} bytes exceeds the limit of ${limit} bytes`;
        reject(new AwsError('RequestEntityTooLargeException', message, 413));
      } else resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks));
    });
    req.on('error', reject);
    req.on('aborted', () => reject(new AwsError('RequestAborted', 'the client closed the connection')));
  });
}

/** Sends a complete body with its length. */
export function send(
  res: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Buffer,
): void {
  if (res.destroyed) return;
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  res.end(body);
}
