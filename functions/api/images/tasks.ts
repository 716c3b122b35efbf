import type { Handlers } from '../../../api/handlers.ts';
import { pageLinks } from '../../../api/page-links.ts';
import { taskStub, taskView } from '../../../api/tasks/view.ts';
import type { Deps } from '../../../core/deps.ts';
import { MethodNotAllowed } from '../../../core/errors.ts';
import { createTask } from '../../../core/imports/create-task.ts';
import { enforceTasksApi, listTasks, showTask } from '../../../core/tasks/queries.ts';

type TaskOperation = 'createTask' | 'listTasks' | 'showTask' | 'deleteTask';

export function taskOperations(deps: Deps): Handlers<TaskOperation> {
  return {
    createTask: async ({ body, baseUrl, caller }) => {
      await enforceTasksApi(deps, caller);
      const value = taskView(await createTask(deps, caller, body()));
      return { value, headers: { location: `${baseUrl}${value.self}` } };
    },
    listTasks: async ({ query, search, caller }) => {
      await enforceTasksApi(deps, caller);
      const { tasks, next } = await listTasks(deps, caller, query());
      return { tasks: tasks.map(taskStub), ...pageLinks('/v2/tasks', search, next), schema: '/v2/schemas/tasks' };
    },
    showTask: async ({ params, caller }) => {
      await enforceTasksApi(deps, caller);
      return taskView(await showTask(deps, caller, params.id));
    },
    deleteTask: async ({ caller }) => {
      await enforceTasksApi(deps, caller);
      throw new MethodNotAllowed('This operation is currently not permitted on tasks.', ['GET']);
    },
  };
}
