import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { TooManyRequests } from '../errors.ts';

/**
 * What a hash costs. A password that a person may have chosen: 16 MiB and about 0.15 s, one of the equivalent minimum settings
 * of OWASP's password storage cheat sheet. A secret of 120 random bits or more cannot be guessed at any price: 2 MiB, some ms.
 */
const COSTS = {
  chosen: { N: 2 ** 14, r: 8, p: 5 },
  random: { N: 2 ** 11, r: 8, p: 1 },
} as const;
export type SecretOrigin = keyof typeof COSTS;

const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Hashing uses this many of the four threads of libuv's pool, so that log-ins cannot stop file and DNS work. */
const PARALLEL = 2;
/** Waiting log-ins above this are turned away: at 0.15 s each they would wait longer than a client does. */
const MAX_WAITING = 100;

/** Hashes a password or secret into `scrypt$N$r$p$salt$hash` (base64url parts). The parameters are kept with the hash. */
export async function hashPassword(password: string, origin: SecretOrigin = 'chosen'): Promise<string> {
  const { N, r, p } = COSTS[origin];
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, { N, r, p });
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** True when the password is the one that was hashed. Takes the same time for every wrong password. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, N, r, p, salt, hash] = stored.split('$');
  if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64url');
  const actual = await derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) });
  return timingSafeEqual(actual, expected);
}

/**
 * Checks a secret of somebody who may be unknown (`stored` null). Every refusal costs one hash of each origin, whatever is stored: its
 * time tells neither who is known nor how their secret came about.
 */
export async function isSecret(secret: string, stored: string | null): Promise<boolean> {
  if (stored !== null && (await isPassword(secret, stored))) return true;
  for (const { N, r, p } of Object.values(COSTS)) {
    const isDone = stored?.startsWith(`scrypt$${N}$${r}$${p}$`) ?? false;
    if (!isDone) await derive(secret, Buffer.alloc(SALT_BYTES), { N, r, p });
  }
  return false;
}

function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, cost, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}

/**
 * Lets `PARALLEL` checks run at once and queues the others. What runs inside sees the failures that earlier checks counted, so a
 * burst of guesses cannot pass the attempt limit by being simultaneous.
 */
export function createTurnstile(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (waiting.length >= MAX_WAITING) throw new TooManyRequests('Too many log-ins are waiting; try again.', 5);
    if (running >= PARALLEL) await new Promise<void>((enter) => waiting.push(enter));
    else running += 1;
    try {
      return await work();
    } finally {
      // The turn is handed over, so `running` stays as it is while somebody waits.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
