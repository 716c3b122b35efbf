import { at, type Route } from '../route.ts';
import { TaskAnswer, TaskHeaders, TasksAnswer } from './answers.ts';
import { TaskBody } from './create-body.ts';
import { TaskListQuery } from './list-query.ts';

const route = at('images', 'token');

/** Tasks as administrators see them (contract: import.md section 9). */
export const TASK_ROUTES = {
  createTask: route('POST', '/v2/tasks', 201, { body: TaskBody, answer: TaskAnswer, answerHeaders: TaskHeaders }),
  listTasks: route('GET', '/v2/tasks', 200, { query: TaskListQuery, answer: TasksAnswer }),
  showTask: route('GET', '/v2/tasks/{id}', 200, { answer: TaskAnswer }),
  /** Tasks cannot be deleted; who may not use them at all hears that first. */
  deleteTask: route('DELETE', '/v2/tasks/{id}', 405),
} as const satisfies Record<string, Route>;
