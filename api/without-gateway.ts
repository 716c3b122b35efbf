import { NotDeployed } from '../core/errors.ts';

/** What a client of image bytes is told where no gateway is (`gateway: off`), by method. */
export const WITHOUT_GATEWAY = {
  PUT: 'This service has no gateway for image bytes: send them by an upload session (POST /glimpse/v1/images/{id}/uploads, or `glimpse upload`), or import by web-download.',
  GET: 'This service has no gateway for image bytes: read them by a link (POST /glimpse/v1/images/{id}/links, or `glimpse download`).',
} as const;

export const withoutGateway = (method: string): NotDeployed =>
  new NotDeployed(WITHOUT_GATEWAY[method === 'PUT' ? 'PUT' : 'GET']);
