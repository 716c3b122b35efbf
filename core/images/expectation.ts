import { Conflict, NotFound, StaleRevision } from '../errors.ts';
import type { Image } from './image.ts';
import type { ImageChange } from './repository.ts';
import { mayMove } from './status.ts';

type Expectation = ImageChange['expect'];

/**
 * Every transition goes through the table of status.ts: a change that sets a status expects only statuses from which it may be
 * reached. Repositories ask this of each change before they write it.
 * @throws TypeError naming both: the code that made the change is wrong, whatever the record says
 */
export function assertTransition({ set, expect }: Pick<ImageChange, 'set' | 'expect'>): void {
  const to = set?.status;
  if (to === undefined) return;
  if (expect?.status === undefined) throw new TypeError(`A change to status ${to} must say which status it expects`);
  const forbidden = expect.status.find((from) => !mayMove(from, to));
  if (forbidden !== undefined) throw new TypeError(`An image may not go from status ${forbidden} to ${to}`);
}

/** Whether a record is as a change expects it. */
export function meets(image: Image, expect: Expectation): boolean {
  if (expect?.revision !== undefined && expect.revision !== image.revision) return false;
  if (expect?.status !== undefined && !expect.status.includes(image.status)) return false;
  return expect?.lock === undefined || expect.lock === image.lock;
}

/** What an image repository answers to a change whose expectation does not hold: which one, with both values. */
export function refusal(id: string, image: Image | undefined, expect: Expectation, options?: ErrorOptions): Error {
  if (image === undefined) return new NotFound(`No image found with ID ${id}`, options);
  const stale = new StaleRevision(`Image ${id} changed: it is at revision ${image.revision}`, options);
  // Who has read an older record reads again, whatever else differs.
  if (expect?.revision !== undefined && expect.revision !== image.revision) return stale;
  if (expect?.status !== undefined && !expect.status.includes(image.status)) {
    const wanted = expect.status.join(' or ');
    return new Conflict(`Image ${id} is in status ${image.status}, it must be ${wanted} for this`, options);
  }
  if (expect?.lock !== undefined && expect.lock !== image.lock) {
    const held = image.lock === null ? 'nothing' : image.lock;
    const wanted = expect.lock === null ? 'nothing' : expect.lock;
    return new Conflict(`Image ${id} is being worked on by ${held}, expected ${wanted}`, options);
  }
  return stale;
}
