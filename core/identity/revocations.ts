import type { Clock } from '../clock.ts';
import type { Revocation, RevokedSubject } from './records.ts';
import type { IdentityRepository } from './repository.ts';
import type { TokenClaims } from './token.ts';

/** How long a process may go on with what it read of revocations, users, projects and grants. Milliseconds. */
export const STALE_AFTER_MS = 5000;

/** The one partition of revocations, read at most every 5 s; a revocation made in this process counts at once. */
export interface Revocations {
  isRevoked(claims: TokenClaims): boolean | Promise<boolean>;
  /** As `isRevoked`, by a reading that begins after the question: for who makes something that outlives the five seconds. */
  isRevokedNow(claims: TokenClaims): Promise<boolean>;
  /** What this process has just written, at `issuedBeforeMs`. */
  note(revocation: Revocation): void;
}

export function createRevocations(repository: Pick<IdentityRepository, 'revocations'>, clock: Clock): Revocations {
  let known = new Map<RevokedSubject, number>();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let additions = 0;

  async function read(): Promise<void> {
    const startedAtMs = clock.now();
    const additionsBefore = additions;
    const found = await repository.revocations();
    // What was added while the query ran may be missing in its answer: keep both, and read again next time.
    const next = additions === additionsBefore ? new Map<RevokedSubject, number>() : known;
    for (const { subject, issuedBeforeMs } of found) next.set(subject, issuedBeforeMs);
    known = next;
    if (additions === additionsBefore) readAtMs = startedAtMs;
  }

  function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    isRevoked: (claims) => {
      if (clock.now() - readAtMs < STALE_AFTER_MS) return matches(known, claims);
      return refresh().then(() => matches(known, claims));
    },
    isRevokedNow: async (claims) => {
      // A reading under way may have passed what was written since it began.
      await reading?.catch(() => undefined);
      await refresh();
      return matches(known, claims);
    },
    note: (revocation) => {
      additions += 1;
      known.set(revocation.subject, revocation.issuedBeforeMs);
    },
  };
}

function matches(known: ReadonlyMap<RevokedSubject, number>, claims: TokenClaims): boolean {
  if (known.size === 0) return false;
  const [ownAuditId] = claims.audit;
  const subjects: RevokedSubject[] = [`token:${ownAuditId}`, `user:${claims.user}`];
  if (claims.project !== undefined) subjects.push(`project:${claims.project}`);
  if (claims.credential !== undefined) subjects.push(`credential:${claims.credential}`);
  return subjects.some((subject) => claims.issuedAt <= (known.get(subject) ?? Number.NEGATIVE_INFINITY));
}
