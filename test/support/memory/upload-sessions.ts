import { Conflict } from '../../../core/errors.ts';
import type { UploadSessionRepository } from '../../../core/uploads/repository.ts';
import type { UploadSession } from '../../../core/uploads/session.ts';
import { byText, Records } from './records.ts';

export function memoryUploadSessions(): UploadSessionRepository {
  const sessions = new Records<UploadSession>();
  const keyOf = (imageId: string, id: string): string => `${imageId} ${id}`;
  const changeOpen = (imageId: string, id: string, change: Partial<UploadSession>): boolean => {
    const known = sessions.get(keyOf(imageId, id));
    if (known?.state !== 'open') return false;
    sessions.set(keyOf(imageId, id), { ...known, ...change });
    return true;
  };
  return {
    async create(session) {
      const key = keyOf(session.imageId, session.id);
      if (sessions.has(key)) throw new Conflict(`Upload ${session.id} exists already`);
      sessions.set(key, session);
    },
    get: async (imageId, id) => sessions.get(keyOf(imageId, id)),
    list: async (imageId) =>
      sessions
        .values()
        .filter((session) => session.imageId === imageId)
        .toSorted((a, b) => byText(b.createdAt, a.createdAt)),
    postpone: async (imageId, id, expiresAtMs) => changeOpen(imageId, id, { expiresAtMs }),
    async end(imageId, id, state) {
      changeOpen(imageId, id, { state });
      return sessions.get(keyOf(imageId, id));
    },
  };
}
