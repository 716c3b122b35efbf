import { randomUUID } from 'node:crypto';
import type { Task } from '../../core/tasks/task.ts';

/** A pending import of project `demo`. */
export function aTask(attributes: Partial<Task> = {}): Task {
  return {
    id: randomUUID(),
    type: 'api_image_import',
    status: 'pending',
    imageId: randomUUID(),
    owner: 'demo',
    userId: 'user',
    requestId: null,
    input: { import_req: { method: { name: 'glance-direct' } } },
    result: null,
    message: '',
    import: { method: { name: 'glance-direct' }, stores: ['central'], allStoresMustSucceed: true, roles: ['member'] },
    facts: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: null,
    ...attributes,
  };
}
