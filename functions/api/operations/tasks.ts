import type { Handlers } from '../../../api/handlers.ts';
import { pageLinks } from '../../../api/page-links.ts';
import { parseTaskQuery } from '../../../api/tasks/list-query.ts';
import { taskStub, taskView } from '../../../api/tasks/view.ts';
import type { Deps } from '../../../core/ports.ts';
import { enforceTasksApi, listTasks, showTask } from '../../../core/tasks/queries.ts';

type TaskOperation = 'listTasks' | 'showTask';

export function taskOperations(deps: Deps): Handlers<TaskOperation> {
  return {
    listTasks: async ({ query, caller }) => {
      await enforceTasksApi(deps, caller);
      const { tasks, next } = await listTasks(deps, caller, parseTaskQuery(query, deps.config));
      return { tasks: tasks.map(taskStub), ...pageLinks('/v2/tasks', query, next), schema: '/v2/schemas/tasks' };
    },
    showTask: async ({ params, caller }) => {
      await enforceTasksApi(deps, caller);
      return taskView(await showTask(deps, caller, params['id'] ?? ''));
    },
  };
}
