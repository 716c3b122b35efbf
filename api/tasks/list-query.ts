import type { Config } from '../../core/config.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { TaskListRequest, TaskSortKey } from '../../core/tasks/queries.ts';
import { TASK_STATUSES } from '../../core/tasks/task.ts';
import { oneOf, onlyValue, pageLimit } from '../paging.ts';
import { queryOf } from '../query.ts';
import type { Settings } from '../route.ts';
import { UUID_PATTERN } from '../schemas/image-properties.ts';

const SORT_KEYS: Readonly<Record<string, TaskSortKey>> = {
  id: 'id',
  type: 'type',
  status: 'status',
  owner: 'owner',
  image_id: 'imageId',
  request_id: 'requestId',
  user_id: 'userId',
  expires_at: 'expiresAt',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};
const UUID = new RegExp(UUID_PATTERN);

/** Query of GET /v2/tasks. @throws as `parseTaskQuery` */
export const TaskListQuery = (settings: Settings) =>
  queryOf(['limit', 'marker', 'sort_key', 'sort_dir', 'status', 'type'], (query) => parseTaskQuery(query, settings));

/** Query parameters of GET /v2/tasks; unknown keys are ignored. @throws InvalidInput */
function parseTaskQuery(
  query: URLSearchParams,
  config: Pick<Config, 'limit_param_default' | 'api_limit_max'>,
): TaskListRequest {
  const limit = pageLimit(query, config);
  const marker = onlyValue(query, 'marker');
  if (marker !== null && !UUID.test(marker)) throw new InvalidInput(`Invalid marker: ${marker} is no task id`);
  const key = onlyValue(query, 'sort_key') ?? 'created_at';
  const sortKey = Object.hasOwn(SORT_KEYS, key) ? SORT_KEYS[key] : undefined;
  if (sortKey === undefined) throw new InvalidInput(`Invalid sort key: ${key}`);
  const status = oneOf(query, 'status', TASK_STATUSES);
  const type = oneOf(query, 'type', ['import'] as const);
  return {
    limit,
    sortKey,
    direction: oneOf(query, 'sort_dir', ['asc', 'desc'] as const) ?? 'desc',
    ...(marker !== null && { markerId: marker }),
    ...(status !== undefined && { status }),
    ...(type !== undefined && { type }),
  };
}
