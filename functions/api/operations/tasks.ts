import type { Handlers } from '../../../api/handlers.ts';
import { pageLinks } from '../../../api/page-links.ts';
import { baseDefinitions } from '../../../api/schemas/image-properties.ts';
import { parseTask } from '../../../api/tasks/create-body.ts';
import { parseTaskQuery } from '../../../api/tasks/list-query.ts';
import { taskStub, taskView } from '../../../api/tasks/view.ts';
import type { Deps } from '../../../core/deps.ts';
import { MethodNotAllowed } from '../../../core/errors.ts';
import { createTask } from '../../../core/imports/create-task.ts';
import { enforceTasksApi, listTasks, showTask } from '../../../core/tasks/queries.ts';

type TaskOperation = 'createTask' | 'listTasks' | 'showTask' | 'deleteTask';

export function taskOperations(deps: Deps): Handlers<TaskOperation> {
  const definitions = baseDefinitions(deps.config);
  return {
    createTask: async ({ json, caller }) => {
      await enforceTasksApi(deps, caller);
      return taskView(await createTask(deps, caller, parseTask(json(), definitions)));
    },
    listTasks: async ({ query, caller }) => {
      await enforceTasksApi(deps, caller);
      const { tasks, next } = await listTasks(deps, caller, parseTaskQuery(query, deps.config));
      return { tasks: tasks.map(taskStub), ...pageLinks('/v2/tasks', query, next), schema: '/v2/schemas/tasks' };
    },
    showTask: async ({ params, caller }) => {
      await enforceTasksApi(deps, caller);
      return taskView(await showTask(deps, caller, params['id'] ?? ''));
    },
    deleteTask: async ({ caller }) => {
      await enforceTasksApi(deps, caller);
      throw new MethodNotAllowed('This operation is currently not permitted on tasks.', ['GET']);
    },
  };
}
