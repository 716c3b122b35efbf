import { Conflict, NotFound, StaleRevision } from '../errors.ts';
import type { Image } from './image.ts';
import type { ImageChange } from './repository.ts';

type Expectation = ImageChange['expect'];

/** True when an image is as a change expects it. */
export function isAsExpected(image: Image, expect: Expectation): boolean {
  if (expect?.revision !== undefined && expect.revision !== image.revision) return false;
  if (expect?.status !== undefined && !expect.status.includes(image.status)) return false;
  return expect?.lock === undefined || expect.lock === image.lock;
}

/** What an image repository answers to a change whose expectation does not hold: which one, with both values. */
export function refusal(id: string, image: Image | undefined, expect: Expectation, options?: ErrorOptions): Error {
  if (image === undefined) return new NotFound(`No image found with ID ${id}`, options);
  if (expect?.status !== undefined && !expect.status.includes(image.status)) {
    const wanted = expect.status.join(' or ');
    return new Conflict(`Image ${id} is in status ${image.status}, it must be ${wanted} for this`, options);
  }
  if (expect?.lock !== undefined && expect.lock !== image.lock) {
    const held = image.lock === null ? 'nothing' : image.lock;
    const wanted = expect.lock === null ? 'nothing' : expect.lock;
    return new Conflict(`Image ${id} is being worked on by ${held}, expected ${wanted}`, options);
  }
  return new StaleRevision(`Image ${id} changed: it is at revision ${image.revision}`, options);
}
