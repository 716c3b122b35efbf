import type { Handlers } from '../../../api/handlers.ts';
import { parseCreate } from '../../../api/images/create-body.ts';
import { parseImport } from '../../../api/images/import-body.ts';
import { parseListQuery } from '../../../api/images/list-query.ts';
import { parseLocation } from '../../../api/images/location-body.ts';
import { parsePatch, patchLanguage } from '../../../api/images/patch-body.ts';
import { imageView, locationView } from '../../../api/images/view.ts';
import { pageLinks } from '../../../api/page-links.ts';
import { baseDefinitions } from '../../../api/schemas/image-properties.ts';
import { imageTaskView } from '../../../api/tasks/view.ts';
import type { Deps } from '../../../core/deps.ts';
import type { Caller } from '../../../core/identity/caller.ts';
import { enforce, readableImage, seenImage } from '../../../core/images/access.ts';
import { actOnImage } from '../../../core/images/activation.ts';
import { createImage } from '../../../core/images/create.ts';
import { deleteImage } from '../../../core/images/delete.ts';
import type { Image } from '../../../core/images/image.ts';
import { listImages } from '../../../core/images/list.ts';
import { patchImage } from '../../../core/images/patch.ts';
import { readableProperties } from '../../../core/images/properties.ts';
import { addTag, deleteTag } from '../../../core/images/tags.ts';
import { addLocation } from '../../../core/imports/add-location.ts';
import { requestImport } from '../../../core/imports/import.ts';
import { imageTasks } from '../../../core/tasks/queries.ts';

type ImageOperation =
  | 'createImage'
  | 'listImages'
  | 'showImage'
  | 'patchImage'
  | 'deleteImage'
  | 'deactivateImage'
  | 'reactivateImage'
  | 'importImage'
  | 'listImageTasks'
  | 'listLocations'
  | 'addLocation'
  | 'addTag'
  | 'deleteTag';

export function imageOperations(deps: Deps): Handlers<ImageOperation> {
  const definitions = baseDefinitions(deps.config);
  const view = async (image: Image, caller: Caller) =>
    imageView(image, {
      config: deps.config,
      isAdmin: caller.isAdmin,
      properties: await readableProperties(deps, caller, image.properties),
    });

  return {
    createImage: async ({ json, caller }) => {
      const image = await createImage(deps, caller, parseCreate(json(), definitions));
      return view(image, caller);
    },

    listImages: async ({ query, caller }) => {
      const { images, next } = await listImages(deps, caller, parseListQuery(query, deps.config));
      return {
        images: await Promise.all(images.map((image) => view(image, caller))),
        ...pageLinks('/v2/images', query, next),
        schema: '/v2/schemas/images',
      };
    },

    showImage: async ({ params, caller }) => {
      const { image } = await readableImage(deps, caller, params['id'] ?? '');
      return view(image, caller);
    },

    patchImage: async ({ params, headers, json, caller }) => {
      const language = patchLanguage(headers['content-type']);
      const changes = parsePatch(language, json(), definitions);
      const { image } = await patchImage(deps, caller, params['id'] ?? '', changes);
      return view(image, caller);
    },

    deleteImage: ({ params, caller }) => deleteImage(deps, caller, params['id'] ?? ''),
    deactivateImage: ({ params, caller }) => actOnImage(deps, caller, params['id'] ?? '', 'deactivate'),
    reactivateImage: ({ params, caller }) => actOnImage(deps, caller, params['id'] ?? '', 'reactivate'),

    importImage: async ({ params, headers, json, caller }) => {
      const request = parseImport(json(), headers['x-image-meta-store']);
      await requestImport(deps, caller, params['id'] ?? '', request);
    },

    listImageTasks: async ({ params, caller }) => {
      const tasks = await imageTasks(deps, caller, params['id'] ?? '');
      return { tasks: tasks.map(imageTaskView) };
    },

    listLocations: async ({ params, caller }) => {
      const seen = await seenImage(deps, caller, params['id'] ?? '');
      await enforce(deps, 'fetch_image_location', seen, caller);
      return seen.image.locations.map(locationView);
    },

    addLocation: ({ params, json, caller }) => addLocation(deps, caller, params['id'] ?? '', parseLocation(json())),

    addTag: ({ params, caller }) => addTag(deps, caller, params['id'] ?? '', params['tag'] ?? ''),
    deleteTag: ({ params, caller }) => deleteTag(deps, caller, params['id'] ?? '', params['tag'] ?? ''),
  };
}
