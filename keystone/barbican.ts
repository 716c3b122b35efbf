import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { BackendUnavailable, InvalidInput } from '../core/errors.ts';
import { MOST_CERTIFICATE_BYTES } from '../core/signatures/certificate.ts';
import type { KeyManager } from '../core/signatures/key-manager.ts';

/** One answer; a Barbican that takes longer is as good as away. Milliseconds. */
const TIMEOUT_MS = 5_000;
/** Tries of a question, with a wait before each further one. */
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;

/** Key Manager API v1, "GET /v1/secrets/{uuid}": what it is, and as what it can be had. */
const SecretView = z.object({
  secret_type: z.string(),
  content_types: z.object({ default: z.string() }).optional(),
});
/** What a certificate may be stored as. */
const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'application/pkix-cert',
  'application/x-pem-file',
  'text/plain',
]);
/** Somebody else's is told from nothing by nobody. */
const ABSENT: ReadonlySet<number> = new Set([400, 401, 403, 404, 406, 410]);

/** What a test replaces. */
export interface BarbicanOptions {
  readonly wait?: (ms: number) => Promise<unknown>;
}

/**
 * OpenStack's key manager, asked with the caller's own token: Barbican says who may have what. Only secrets of type `certificate` are
 * fetched, so that a key never comes here.
 * @param endpoint with or without `/v1`
 */
export function certificatesInBarbican(endpoint: string, { wait = sleep }: BarbicanOptions = {}): KeyManager {
  const base = `${endpoint.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/secrets`;

  async function once(path: string, accept: string, token: string): Promise<Uint8Array | undefined> {
    const answer = await fetch(`${base}/${path}`, {
      headers: { 'x-auth-token': token, accept },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    if (answer.ok) return headOf(answer);
    await answer.body?.cancel();
    if (ABSENT.has(answer.status)) return undefined;
    throw new Error(`answered ${answer.status}`);
  }

  async function ask(path: string, accept: string, token: string): Promise<Uint8Array | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(path, accept, token);
      } catch (error) {
        if (attempt === ATTEMPTS)
          throw new BackendUnavailable('The key manager is not available; try again later.', { cause: error });
      }
      await wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }

  return {
    async secret(id, { token }) {
      if (token === undefined)
        throw new InvalidInput(
          'the key manager is Barbican, which answers tokens of users only, and there is none here',
        );
      const type = certificateType(await ask(id, 'application/json', token));
      return type === undefined ? undefined : ask(`${id}/payload`, type, token);
    },
  };
}

/** The media type of a secret that is a certificate; undefined for any other, and for none. */
function certificateType(metadata: Uint8Array | undefined): string | undefined {
  if (metadata === undefined) return undefined;
  const { data } = SecretView.safeParse(parsed(metadata));
  const type = data?.content_types?.default ?? 'application/octet-stream';
  return data?.secret_type === 'certificate' && MEDIA_TYPES.has(type) ? type : undefined;
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** As much as a certificate may have, and a byte more. */
async function headOf({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop hangs up.
    if (length > MOST_CERTIFICATE_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MOST_CERTIFICATE_BYTES + 1);
}
