import type { Handlers } from '../../../api/handlers.ts';
import { importRequest } from '../../../api/images/import-body.ts';
import { imageView, locationView } from '../../../api/images/view.ts';
import { pageLinks } from '../../../api/page-links.ts';
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
  const { config } = deps;
  const methods = config.enabled_import_methods.join(',');
  const stores = config.stores.map((store) => store.id).join(',');
  const view = async (image: Image, caller: Caller) =>
    imageView(image, {
      config,
      isAdmin: caller.isAdmin,
      properties: await readableProperties(deps, caller, image.properties),
    });

  return {
    createImage: async ({ body, baseUrl, caller }) => {
      const image = await createImage(deps, caller, body());
      const value = await view(image, caller);
      return {
        value,
        headers: {
          location: `${baseUrl}${value.self}`,
          ...(methods !== '' && { 'openstack-image-import-methods': methods }),
          'openstack-image-store-ids': stores,
        },
      };
    },

    listImages: async ({ query, search, caller }) => {
      const { images, next } = await listImages(deps, caller, query());
      return {
        images: await Promise.all(images.map((image) => view(image, caller))),
        ...pageLinks('/v2/images', search, next),
        schema: '/v2/schemas/images',
      };
    },

    showImage: async ({ params, caller }) => {
      const { image } = await readableImage(deps, caller, params.id);
      return view(image, caller);
    },

    patchImage: async ({ params, headers, body, caller }) => {
      const { image } = await patchImage(deps, caller, params.id, body()(headers.language));
      return view(image, caller);
    },

    deleteImage: ({ params, caller }) => deleteImage(deps, caller, params.id),
    deactivateImage: ({ params, caller }) => actOnImage(deps, caller, params.id, 'deactivate'),
    reactivateImage: ({ params, caller }) => actOnImage(deps, caller, params.id, 'reactivate'),

    importImage: async ({ params, headers, body, caller }) => {
      const request = importRequest(body(), headers);
      await requestImport(deps, caller, params.id, request);
    },

    listImageTasks: async ({ params, caller }) => {
      const tasks = await imageTasks(deps, caller, params.id);
      return { tasks: tasks.map(imageTaskView) };
    },

    listLocations: async ({ params, caller }) => {
      const seen = await seenImage(deps, caller, params.id);
      await enforce(deps, 'fetch_image_location', seen, caller);
      return seen.image.locations.map(locationView);
    },

    addLocation: async ({ params, body, caller }) => addLocation(deps, caller, params.id, body()),

    addTag: ({ params, caller }) => addTag(deps, caller, params.id, params.tag),
    deleteTag: ({ params, caller }) => deleteTag(deps, caller, params.id, params.tag),
  };
}
