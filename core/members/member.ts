import { LimitExceeded } from '../errors.ts';

export const MEMBER_STATUSES = ['pending', 'accepted', 'rejected'] as const;
export type MemberStatus = (typeof MEMBER_STATUSES)[number];

/** A project that a shared image is offered to (contract: images.md section 15). */
export interface Member {
  readonly imageId: string;
  /** Project id. */
  readonly project: string;
  readonly status: MemberStatus;
  /** Creation time of the image: the order in which shared images are listed. */
  readonly imageCreatedAt: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What is said of one member too many. */
export const tooManyMembers = (attempted: number, limit: number): LimitExceeded =>
  new LimitExceeded(
    `The limit has been exceeded on the number of allowed image members for this image. Attempted: ${attempted}, Maximum: ${limit}`,
  );
