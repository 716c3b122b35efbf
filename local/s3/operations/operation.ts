import type { AccessCheck } from '../access.ts';
import type { Faults } from '../faults.ts';
import type { Reply, S3Request } from '../request.ts';
import type { Store } from '../store/store.ts';
import type { StrictS3 } from '../strict.ts';

/** What every operation works with. */
export interface Service {
  readonly store: Store;
  readonly faults: Faults;
  /** Whether signed payload hashes and chunk signatures are checked while a body arrives. */
  readonly verifySignatures: boolean;
  readonly access: AccessCheck;
  /** Absent: as kind as S3 is at its best. */
  readonly strict: StrictS3 | undefined;
}

/** One S3 operation: checks, changes the store, says what to answer. Throws S3Error. `requestId` is for its events. */
export type Operation = (service: Service, request: S3Request, requestId: string) => Reply | Promise<Reply>;
