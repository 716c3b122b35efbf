import type { Image } from '../../../core/images/image.ts';
import { compareImages, type ImageQuery, matches } from '../../../core/images/query.ts';
import type { ImageListing } from '../../../core/images/repository.ts';
import { usageOfImages } from '../../../core/images/usage.ts';
import type { MemberRecords } from './members.ts';
import type { Records } from './records.ts';

/** The ImageListing over records in memory: every image is asked whether the caller's list shows it. */
export function memoryImageList(records: Records<Image>, members: MemberRecords): ImageListing {
  const isShared = (image: Image, { project, memberStatus }: ImageQuery): boolean =>
    image.visibility === 'shared' &&
    members
      .values()
      .some(
        (member) =>
          member.imageId === image.id &&
          member.project === project &&
          (memberStatus === 'all' || member.status === memberStatus),
      );
  const isCandidate = (image: Image, query: ImageQuery): boolean =>
    query.isAdmin ? isForAdmin(image, query) : isForProject(image, query, () => isShared(image, query));

  return {
    async page(query) {
      const compare = compareImages(query.sort);
      const { marker, filters, limit } = query;
      const images = records
        .values()
        .filter((image) => isCandidate(image, query) && matches(image, filters))
        .filter((image) => marker === undefined || compare(image, marker) > 0)
        .toSorted(compare)
        .slice(0, limit);
      return { images, more: limit > 0 && images.length === limit };
    },

    usageOf: async (project) => usageOfImages(records.values().filter(({ owner }) => owner === project)),
  };
}

/** Every project's, but of community images the own ones only, unless they are asked for. */
function isForAdmin(image: Image, { visibility, project }: ImageQuery): boolean {
  if (visibility === 'all') return true;
  if (visibility !== undefined) return image.visibility === visibility;
  return image.visibility !== 'community' || (project !== null && image.owner === project);
}

function isForProject(image: Image, { visibility, project }: ImageQuery, isShared: () => boolean): boolean {
  if (visibility === 'public' || visibility === 'community') return image.visibility === visibility;
  const isOpen =
    visibility === 'all'
      ? image.visibility === 'public' || image.visibility === 'community'
      : visibility === undefined && image.visibility === 'public';
  if (isOpen || project === null) return isOpen;
  const isOwn =
    image.owner === project && (visibility === undefined || visibility === 'all' || image.visibility === visibility);
  return isOwn || (visibility !== 'private' && isShared());
}
