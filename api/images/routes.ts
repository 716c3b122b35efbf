import { z } from 'zod';
import { queryOf } from '../query.ts';
import { at, type Route } from '../route.ts';
import { ImageTasksAnswer } from '../tasks/answers.ts';
import { CreatedHeaders, ImageAnswer, ImagesAnswer, LocationsAnswer } from './answers.ts';
import { ImageCreate } from './create-body.ts';
import { ImportBody, ImportHeaders, StoreHeader } from './import-body.ts';
import { ImageListQuery } from './list-query.ts';
import { LocationBody } from './location-body.ts';
import { ImagePatch, PatchHeaders } from './patch-body.ts';

const route = at('images', 'token');
const bytes = at('gateway', 'token');

/** What goes through the gateway as it is; nobody holds it as a value. */
const Bytes = z.custom<ReadableStream<Uint8Array>>();
const UploadHeaders = StoreHeader.extend({ 'x-openstack-image-size': z.string().optional() });

/** Images, their bytes, locations and tags (contract: images.md, import.md). */
export const IMAGE_ROUTES = {
  createImage: route('POST', '/v2/images', 201, {
    body: ImageCreate,
    answer: ImageAnswer,
    answerHeaders: CreatedHeaders,
  }),
  listImages: route('GET', '/v2/images', 200, { query: ImageListQuery, answer: ImagesAnswer }),
  showImage: route('GET', '/v2/images/{id}', 200, { body: 'refused', answer: ImageAnswer }),
  patchImage: route('PATCH', '/v2/images/{id}', 200, { headers: PatchHeaders, body: ImagePatch, answer: ImageAnswer }),
  deleteImage: route('DELETE', '/v2/images/{id}', 204, { body: 'refused' }),
  deactivateImage: route('POST', '/v2/images/{id}/actions/deactivate', 204, { body: 'refused' }),
  reactivateImage: route('POST', '/v2/images/{id}/actions/reactivate', 204, { body: 'refused' }),
  downloadImage: bytes('GET', '/v2/images/{id}/file', 200, {
    /** Stores to read from, the first one first, by commas. */
    query: queryOf(['prefer'], (query) => query.get('prefer')?.split(',').filter(Boolean)),
    headers: z.object({ range: z.string().optional() }),
    answer: Bytes,
    /** An image without bytes; a range. */
    also: [204, 206],
  }),
  uploadImage: bytes('PUT', '/v2/images/{id}/file', 204, { headers: UploadHeaders, body: Bytes }),
  stageImage: bytes('PUT', '/v2/images/{id}/stage', 204, { headers: UploadHeaders, body: Bytes }),
  importImage: route('POST', '/v2/images/{id}/import', 202, { headers: ImportHeaders, body: ImportBody }),
  listImageTasks: route('GET', '/v2/images/{id}/tasks', 200, { body: 'refused', answer: ImageTasksAnswer }),
  listLocations: route('GET', '/v2/images/{id}/locations', 200, { answer: LocationsAnswer }),
  addLocation: route('POST', '/v2/images/{id}/locations', 202, { body: LocationBody }),
  addTag: route('PUT', '/v2/images/{id}/tags/{tag}', 204, { body: 'refused' }),
  deleteTag: route('DELETE', '/v2/images/{id}/tags/{tag}', 204, { body: 'refused' }),
} as const satisfies Record<string, Route>;
