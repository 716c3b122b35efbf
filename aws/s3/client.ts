import { S3Client } from '@aws-sdk/client-s3';
import type { CredentialProvider } from './credentials.ts';
import { WideReadsAgent } from './wide-reads.ts';

/** Sockets per service: four uploads with four parts each, downloads with read-ahead, and some to spare. */
const SOCKETS = 128;

/**
 * A client for image bytes. Bodies are not hashed for the signature: every part carries its CRC32 instead, which the service
 * verifies, at a fifth of the cost of a SHA-256. Without `credentials` it uses those of the process.
 */
export function createS3Client(
  region: string,
  endpoint: string | undefined,
  credentials?: CredentialProvider,
): S3Client {
  const client = new S3Client({
    region,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5_000,
      // Silence of a socket, not the length of a transfer.
      socketTimeout: 60_000,
      httpAgent: new WideReadsAgent({ keepAlive: true, maxSockets: SOCKETS }),
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
    ...(credentials === undefined ? {} : { credentials }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      if (UNSIGNED.has(context.commandName ?? '')) request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'unsignedPayload' },
  );
  return client;
}

const UNSIGNED = new Set(['PutObjectCommand', 'UploadPartCommand']);
