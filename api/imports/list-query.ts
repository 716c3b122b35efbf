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
