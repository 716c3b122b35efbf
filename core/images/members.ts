/**
 * Whom a shared image is offered to (contract: images.md section 15). The owner adds and removes, the member answers; who is
 * neither sees nothing.
 */

import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { MEMBER_STATUSES, type Member } from '../members/member.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { enforce, readableImage, type Seen } from './access.ts';
import type { WithImages } from './repository.ts';
import { revised } from './revise.ts';
import { refuseOddText } from './text.ts';

type MemberDeps = WithConfig & WithClock & WithImages & WithMembers & WithPolicy;

const PROJECT_LENGTH = 255;

/** @throws NotFound, Forbidden, InvalidInput, Conflict, LimitExceeded */
export async function addMember(deps: MemberDeps, caller: Caller, id: string, project: string): Promise<Member> {
  checkProject(project);
  const { image } = await sharedImage(deps, caller, id, 'add_member');
  const at = new Date(deps.clock.now()).toISOString();
  const member: Member = {
    imageId: id,
    project,
    status: 'pending',
    imageCreatedAt: image.createdAt,
    createdAt: at,
    updatedAt: at,
  };
  const { image_member_quota: quota } = deps.config;
  // Members of one image come one after another: a quota is exact for all processes, so each writes the image's counter.
  await revised(`members of ${id}`, () => deps.members.create(member, quota < 0 ? undefined : quota));
  return member;
}

function checkProject(project: string): void {
  if (project === '') throw new InvalidInput('Member must be specified: the id of a project is needed.');
  const { length } = [...project];
  if (length > PROJECT_LENGTH)
    throw new InvalidInput(`Member: a project id has at most ${PROJECT_LENGTH} characters, not ${length}`);
  refuseOddText('member', project);
}

/** All members for owner and admin; a member finds only itself. @throws NotFound, Forbidden */
export async function listMembers(deps: MemberDeps, caller: Caller, id: string): Promise<Member[]> {
  const seen = await sharedImage(deps, caller, id, 'get_members');
  const members = await deps.members.list(id);
  return members.filter((member) => mayKnow(seen, caller, member.project));
}

/** @throws NotFound for everything that is not to be known, images that are not shared included */
export async function showMember(deps: MemberDeps, caller: Caller, id: string, project: string): Promise<Member> {
  const seen = await readableImage(deps, caller, id);
  await enforce(deps, 'get_member', seen, caller);
  if (seen.image.visibility !== 'shared') throw noMember(id, project);
  return knownMember(deps, caller, seen, project);
}

/** @throws Forbidden (the owner included), NotFound, InvalidInput for another status than the three */
export async function answerMembership(
  deps: MemberDeps,
  caller: Caller,
  id: string,
  project: string,
  status: unknown,
): Promise<Member> {
  const seen = await sharedImage(deps, caller, id, 'modify_member');
  const wanted = MEMBER_STATUSES.find((each) => each === status);
  if (wanted === undefined)
    throw new InvalidInput(`Status must be one of ${MEMBER_STATUSES.join(', ')}, not ${JSON.stringify(status)}`);
  await knownMember(deps, caller, seen, project);
  return deps.members.setStatus(id, project, wanted, new Date(deps.clock.now()).toISOString());
}

/** @throws NotFound, Forbidden (members cannot leave by themselves) */
export async function removeMember(deps: MemberDeps, caller: Caller, id: string, project: string): Promise<void> {
  await sharedImage(deps, caller, id, 'delete_member');
  await revised(`members of ${id}`, () => deps.members.delete(id, project));
}

async function sharedImage(deps: MemberDeps, caller: Caller, id: string, rule: string): Promise<Seen> {
  const seen = await readableImage(deps, caller, id);
  await enforce(deps, rule, seen, caller);
  if (seen.image.visibility !== 'shared') throw new Forbidden('Only shared images have members.');
  return seen;
}

async function knownMember(deps: MemberDeps, caller: Caller, seen: Seen, project: string): Promise<Member> {
  const member = mayKnow(seen, caller, project) ? await deps.members.get(seen.image.id, project) : undefined;
  if (member === undefined) throw noMember(seen.image.id, project);
  return member;
}

/** An image without an owner is shown to everybody: who came neither as owner nor as member knows no member. */
function mayKnow({ image, memberId }: Seen, caller: Caller, project: string): boolean {
  return caller.isAdmin || (image.owner !== null && image.owner === caller.projectId) || memberId === project;
}

function noMember(id: string, project: string): NotFound {
  return new NotFound(`${project} not found in the member list of the image ${id}.`);
}
