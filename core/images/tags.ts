/** Single tags (contract: images.md section 14). */

import type { WithConfig } from '../config.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { enforce, seenImage } from './access.ts';
import type { WithImages } from './repository.ts';
import { revised } from './revise.ts';
import { checkTagQuota } from './rules.ts';
import { refuseOddText } from './text.ts';

type TagDeps = WithConfig & WithImages & WithMembers & WithPolicy;
const TAG_LENGTH = 255;

/** Adds a tag; one that is there already stays. @throws InvalidInput, NotFound, Forbidden, LimitExceeded */
export async function addTag(deps: TagDeps, caller: Caller, id: string, tag: string): Promise<void> {
  if ([...tag].length > TAG_LENGTH) throw new InvalidInput(`A tag has at most ${TAG_LENGTH} characters`);
  refuseOddText('tag', tag);
  await revised(id, async () => {
    const seen = await seenImage(deps, caller, id);
    await enforce(deps, 'modify_image', seen, caller);
    const { tags, revision } = seen.image;
    if (tags.includes(tag)) return;
    checkTagQuota(deps.config, [...tags, tag]);
    await deps.images.change(id, { expect: { revision }, set: { tags: [...tags, tag] } });
  });
}

/** @throws NotFound for the image or the tag, Forbidden */
export async function deleteTag(deps: TagDeps, caller: Caller, id: string, tag: string): Promise<void> {
  await revised(id, async () => {
    const seen = await seenImage(deps, caller, id);
    await enforce(deps, 'modify_image', seen, caller);
    const { tags, revision } = seen.image;
    if (!tags.includes(tag)) throw new NotFound(`Image ${id} has no tag '${tag}'`);
    await deps.images.change(id, { expect: { revision }, set: { tags: tags.filter((each) => each !== tag) } });
  });
}
