import type { Member, MemberStatus } from './member.ts';

/** Who else may see a shared image. */
export interface MemberRepository {
  /**
   * @param upTo members that the image may have; exact, whoever else adds some
   * @throws Conflict when the member exists; LimitExceeded; StaleRevision when another change was in the way
   */
  create(member: Member, upTo?: number): Promise<void>;
  get(imageId: string, project: string): Promise<Member | undefined>;
  /** All members of an image, in the order of their ids. */
  list(imageId: string): Promise<Member[]>;
  /** @throws NotFound when there is no such member. */
  setStatus(imageId: string, project: string, status: MemberStatus, updatedAt: string): Promise<Member>;
  /** @throws NotFound when there is no such member; StaleRevision when another change was in the way */
  delete(imageId: string, project: string): Promise<void>;
  /** Removes every member of an image that is gone. */
  deleteAll(imageId: string): Promise<void>;
}

/** Of a verb that asks who shares an image. */
export interface WithMembers {
  readonly members: MemberRepository;
}
