import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Conflict } from '../../../core/errors.ts';
import type { UploadSessionRepository } from '../../../core/uploads/repository.ts';
import type { UploadSession } from '../../../core/uploads/session.ts';

const aSession = (more: Partial<UploadSession> = {}): UploadSession => ({
  ...{ id: randomUUID(), imageId: randomUUID(), projectId: 'demo', state: 'open', size: 2 ** 40, partSize: 2 ** 24 },
  ...{ multipartId: 'upload-1', createdAt: '2026-05-05T00:00:00.000Z', expiresAtMs: 1_800_000_000_000 },
  ...more,
});

/** What every UploadSessionRepository does. */
export function uploadSessionRepositorySuite(
  open: () => Promise<{ readonly uploadSessions: UploadSessionRepository; close(): Promise<void> }>,
): void {
  let sessions: UploadSessionRepository;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ uploadSessions: sessions, close } = await open());
  });
  afterAll(() => close());

  describe('upload sessions', () => {
    test.each([['demo'], [null]])('come back as they were written at once, project %s', async (projectId) => {
      const session = aSession({ projectId });
      await sessions.create(session);

      expect(await sessions.get(session.imageId, session.id)).toEqual(session);
      expect(await sessions.get(randomUUID(), session.id)).toBeUndefined();
      expect(await sessions.get(session.imageId, randomUUID())).toBeUndefined();
    });

    test('exist once', async () => {
      const session = aSession();
      await sessions.create(session);

      await expect(sessions.create({ ...session, multipartId: 'another' })).rejects.toThrow(Conflict);
      expect(await sessions.get(session.imageId, session.id)).toEqual(session);
    });

    test('are listed by their image at once, the newest first', async () => {
      const imageId = randomUUID();
      const [older, newer] = ['2026-05-05T00:00:00.000Z', '2026-05-06T00:00:00.000Z'].map((createdAt) =>
        aSession({ imageId, createdAt }),
      ) as [UploadSession, UploadSession];
      for (const session of [older, newer, aSession()]) await sessions.create(session);

      expect(await sessions.list(imageId)).toEqual([newer, older]);
      expect(await sessions.list(randomUUID())).toEqual([]);
    });

    test('live on while they are open', async () => {
      const session = aSession();
      await sessions.create(session);

      expect(await sessions.postpone(session.imageId, session.id, 1_900_000_000_000)).toBe(true);

      expect(await sessions.get(session.imageId, session.id)).toEqual({ ...session, expiresAtMs: 1_900_000_000_000 });
      await sessions.end(session.imageId, session.id, 'aborted');
      expect(await sessions.postpone(session.imageId, session.id, 2_000_000_000_000)).toBe(false);
      expect(await sessions.postpone(session.imageId, randomUUID(), 1)).toBe(false);
    });

    test('end once: whoever comes later is told how', async () => {
      const session = aSession();
      await sessions.create(session);

      expect(await sessions.end(session.imageId, session.id, 'complete')).toEqual({ ...session, state: 'complete' });
      expect(await sessions.end(session.imageId, session.id, 'expired')).toEqual({ ...session, state: 'complete' });
      expect(await sessions.end(session.imageId, randomUUID(), 'aborted')).toBeUndefined();
    });

    test('of many who end one at the same moment all are told the same', async () => {
      const session = aSession();
      await sessions.create(session);

      const ends = (['complete', 'aborted', 'expired', 'complete', 'aborted'] as const).map((state) =>
        sessions.end(session.imageId, session.id, state),
      );
      const states = (await Promise.all(ends)).map((ended) => ended?.state);

      expect(new Set(states).size).toBe(1);
    });
  });
}
