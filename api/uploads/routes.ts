import { at, type Route } from '../route.ts';
import { CreatedUpload, LinkAnswer, SignedPartsAnswer, UploadAnswer, UploadsAnswer } from './answers.ts';
import { PartsBody, UploadCreate } from './bodies.ts';

const route = at('images', 'token');

/** Image bytes past the gateway: upload sessions and download links (docs/upload-sessions.md). */
export const UPLOAD_ROUTES = {
  createUpload: route('POST', '/glimpse/v1/images/{id}/uploads', 201, { body: UploadCreate, answer: CreatedUpload }),
  listUploads: route('GET', '/glimpse/v1/images/{id}/uploads', 200, { answer: UploadsAnswer }),
  showUpload: route('GET', '/glimpse/v1/images/{id}/uploads/{upload}', 200, { answer: UploadAnswer }),
  signParts: route('POST', '/glimpse/v1/images/{id}/uploads/{upload}/parts', 200, {
    body: PartsBody,
    answer: SignedPartsAnswer,
  }),
  completeUpload: route('POST', '/glimpse/v1/images/{id}/uploads/{upload}/complete', 200, {
    body: 'refused',
    answer: UploadAnswer,
  }),
  abortUpload: route('DELETE', '/glimpse/v1/images/{id}/uploads/{upload}', 204, { body: 'refused' }),
  createLink: route('POST', '/glimpse/v1/images/{id}/links', 200, { body: 'refused', answer: LinkAnswer }),
} as const satisfies Record<string, Route>;
