import { InvalidInput } from '../../core/errors.ts';
import type { LeftOverRequest } from '../../core/images/left-over.ts';
import type { ImportListRequest } from '../../core/imports/queries.ts';
import { TASK_STATUSES } from '../../core/tasks/task.ts';
import { oneOf, onlyValue, pageLimit } from '../paging.ts';
import { queryOf } from '../query.ts';
import type { Settings } from '../route.ts';

/** Query of GET /glimpse/v1/imports. @throws InvalidInput */
export const ImportListQuery = (settings: Settings) =>
  queryOf(['limit', 'status', 'image_id'], (query): ImportListRequest => {
    const status = oneOf(query, 'status', TASK_STATUSES);
    const imageId = onlyValue(query, 'image_id');
    return {
      limit: pageLimit(query, settings),
      ...(status !== undefined && { status }),
      ...(imageId !== null && { imageId: imageId.toLowerCase() }),
    };
  });

/** Query of GET /glimpse/v1/leftovers. @throws InvalidInput */
export const LeftOverQuery = (settings: Settings) =>
  queryOf(['hours', 'limit', 'marker'], (query): LeftOverRequest => {
    const hours = onlyValue(query, 'hours');
    const marker = onlyValue(query, 'marker');
    if (hours !== null && !/^\d{1,6}$/.test(hours))
      throw new InvalidInput(`hours: ${hours} is no whole number of hours`);
    return {
      limit: pageLimit(query, settings),
      ...(hours !== null && { hours: Number(hours) }),
      ...(marker !== null && { markerId: marker }),
    };
  });
