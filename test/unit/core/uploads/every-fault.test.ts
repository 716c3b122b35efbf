/**
 * Every call that a session's verbs make of records and of the bucket is lost once, before its work or with its answer, and whoever called
 * is gone then. Asked again, or by the janitor, it ends as if nothing had been: with one object and staged bytes, or with nothing.
 */
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { crc32Header } from '../../../../bytes/crc32.ts';
import { dataKey, stagedPrefix } from '../../../../bytes/keys.ts';
import { abandonUpload } from '../../../../core/images/upload.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { completeUpload } from '../../../../core/uploads/complete.ts';
import { createUpload } from '../../../../core/uploads/create.ts';
import { abortUpload } from '../../../../core/uploads/end.ts';
import type { UploadSession } from '../../../../core/uploads/session.ts';
import { signParts } from '../../../../core/uploads/sign-parts.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { type MemoryDeps, memoryDeps } from '../../../support/memory/deps.ts';

const MEMBER = callerWith({ projectId: 'p1' });
const BYTES = Buffer.from('all of an image');
const SIZE = BYTES.length;
const LIMITS = {
  use_keystone_limits: true,
  registered_limits: {
    ...{ image_size_total: 100, image_stage_total: 1, image_count_total: 10, image_count_uploading: 1 },
  },
};

class Died extends Error {}

const PORTS = ['images', 'uploadSessions', 'duties', 'direct', 'bytes'] as const;

/** Dependencies whose call number `at` (from 1) is lost; 0: none. */
function dyingAt(deps: MemoryDeps, at: number, when: 'before' | 'after') {
  const counted = { calls: 0 };
  const dying = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          counted.calls += 1;
          const isHit = counted.calls === at;
          if (isHit && when === 'before') throw new Died();
          // Whoever died asks for nothing more.
          if (at > 0 && counted.calls > at) throw new Died();
          const answer: unknown = await method.apply(target, given);
          if (isHit) throw new Died();
          return answer;
        };
      },
    });
  const ports = Object.fromEntries(PORTS.map((name) => [name, dying(deps[name] as object)]));
  return { deps: { ...deps, ...ports } as MemoryDeps, counted };
}

interface Given {
  readonly deps: MemoryDeps;
  readonly imageId: string;
}

async function queued(): Promise<Given> {
  const deps = memoryDeps(LIMITS);
  const image = anImage({ owner: 'p1', diskFormat: 'raw', containerFormat: 'bare' });
  await deps.images.create(image);
  return { deps, imageId: image.id };
}

async function filled(): Promise<Given & { readonly session: UploadSession }> {
  const { deps, imageId } = await queued();
  const session = await createUpload(deps, MEMBER, imageId, { size: SIZE });
  const part = { number: 1, size: SIZE, crc32: crc32Header(crc32(BYTES)) };
  const [request] = await signParts(deps, MEMBER, imageId, session.id, [part]);
  if (request === undefined || !deps.staging.receive(request, BYTES)) throw new Error('the part was not taken');
  return { deps, imageId, session };
}

const staged = async ({ deps, imageId }: Given) => ({
  image: await deps.images.get(imageId),
  usage: await deps.imageList.usageOf('p1'),
  objects: [...deps.staging.objects.keys()],
  unfinished: deps.staging.unfinished(),
});

/** Nothing is left of it, and another session may begin. */
async function expectNothing(given: Given): Promise<void> {
  const { image, objects, unfinished } = await staged(given);
  expect(image).toMatchObject({ status: 'queued', lock: null, staged: null, size: null });
  expect([objects, unfinished]).toEqual([[], []]);
  await createUpload(given.deps, MEMBER, given.imageId, { size: SIZE });
}

async function expectStaged(given: Given & { readonly session: UploadSession }): Promise<void> {
  const { deps, imageId, session } = given;
  const { image, objects, unfinished } = await staged(given);
  expect(image).toMatchObject({
    status: 'uploading',
    lock: null,
    size: SIZE,
    staged: { writeId: session.id, size: SIZE },
  });
  expect([objects, unfinished]).toEqual([[dataKey(stagedPrefix(imageId, session.id))], []]);
  expect((await deps.uploadSessions.get(imageId, session.id))?.state).toBe('complete');
  expect((await deps.duties.due(Number.MAX_SAFE_INTEGER, 10)).map(({ kind }) => kind)).toEqual([]);
}

/** The janitor's runs until a session would have expired, and a day more. */
async function later({ deps }: Given): Promise<void> {
  for (let hours = 0; hours < 50; hours += 1) {
    deps.time.nowMs += 3_600_000;
    await janitor(deps);
  }
}

type Verb = (deps: MemoryDeps, given: Given & { readonly session: UploadSession }) => Promise<unknown>;
const complete: Verb = (deps, { imageId, session }) => completeUpload(deps, MEMBER, imageId, session.id);
const abort: Verb = (deps, { imageId, session }) => abortUpload(deps, MEMBER, imageId, session.id);

async function callsOf(verb: Verb): Promise<number> {
  const given = await filled();
  const { deps, counted } = dyingAt(given.deps, 0, 'before');
  await verb(deps, given);
  return counted.calls;
}

/** Each call of a verb, lost before and after its work. */
async function eachFault(
  verb: Verb,
  then: (given: Awaited<ReturnType<typeof filled>>) => Promise<void>,
): Promise<void> {
  const calls = await callsOf(verb);
  expect(calls).toBeGreaterThan(5);
  for (let at = 1; at <= calls; at += 1)
    for (const when of ['before', 'after'] as const) {
      const given = await filled();
      await expect(verb(dyingAt(given.deps, at, when).deps, given), `call ${at}`).rejects.toThrow();
      await then(given);
    }
}

describe('a completion that dies at any of its calls', () => {
  test('is finished by who asks again', async () => {
    await eachFault(complete, async (given) => {
      await complete(given.deps, given);
      await expectStaged(given);
    });
  });

  test('is finished by the janitor where the record says so, and otherwise expires', async () => {
    await eachFault(complete, async (given) => {
      const { state } = (await given.deps.uploadSessions.get(given.imageId, given.session.id)) ?? {};
      await later(given);
      await (state === 'complete' ? expectStaged(given) : expectNothing(given));
    });
  });

  test('loses nothing to an import that took its bytes', async () => {
    const given = await filled();
    await complete(given.deps, given);
    await given.deps.images.change(given.imageId, {
      expect: { status: ['uploading'] },
      set: { status: 'importing', lock: 'task' },
    });

    expect((await completeUpload(given.deps, MEMBER, given.imageId, given.session.id)).session.state).toBe('complete');
    await later(given);
    expect((await staged(given)).objects).toHaveLength(1);
  });
});

describe('an abort that dies at any of its calls', () => {
  test('is finished by who asks again', async () => {
    await eachFault(abort, async (given) => {
      await abort(given.deps, given);
      await later(given);
      await expectNothing(given);
    });
  });

  test('is finished by the janitor', async () => {
    await eachFault(abort, async (given) => {
      await later(given);
      await expectNothing(given);
    });
  });
});

test('a session that dies at any call of its beginning leaves its image to the next one', async () => {
  const create = (deps: MemoryDeps, { imageId }: Given) => createUpload(deps, MEMBER, imageId, { size: SIZE });
  const first = await queued();
  const counting = dyingAt(first.deps, 0, 'before');
  await create(counting.deps, first);
  for (let at = 1; at <= counting.counted.calls; at += 1)
    for (const when of ['before', 'after'] as const) {
      const given = await queued();
      await expect(create(dyingAt(given.deps, at, when).deps, given), `call ${at}`).rejects.toThrow();
      await later(given);
      await expectNothing(given);
    }
});

test('of a completion and an abort at the same moment one wins', async () => {
  for (let turn = 0; turn < 20; turn += 1) {
    const given = await filled();
    const waits = async () => {
      for (let ticks = turn; ticks > 0; ticks -= 1) await undefined;
    };
    const [completed, aborted] = await Promise.allSettled([
      complete(given.deps, given),
      waits().then(() => abort(given.deps, given)),
    ]);

    expect([completed.status, aborted.status].toSorted()).toEqual(['fulfilled', 'rejected']);
    if (completed.status === 'fulfilled') await expectStaged(given);
    else {
      await later(given);
      await expectNothing(given);
    }
  }
});

test('the whole size counts from the beginning, and nothing when a session has ended', async () => {
  const { deps, imageId } = await queued();
  const usage = async () => (await deps.usage.of('p1'))?.usage;
  const tooLarge = createUpload(deps, MEMBER, imageId, { size: 1024 ** 2 + 1 });

  await expect(tooLarge).rejects.toThrow('image_stage_total');
  expect(await deps.images.get(imageId)).toMatchObject({ status: 'queued', lock: null });
  const session = await createUpload(deps, MEMBER, imageId, { size: 1024 ** 2 });
  expect(await usage()).toMatchObject({ stagedBytes: 1024 ** 2, uploading: 1 });

  await abortUpload(deps, MEMBER, imageId, session.id);

  expect(await usage()).toMatchObject({ stagedBytes: 0, uploading: 0 });
});

test('what gives a session up leaves one alone that has come through', async () => {
  const given = await filled();
  await complete(given.deps, given);
  const places = [{ place: 'staging', prefix: stagedPrefix(given.imageId, given.session.id) }];

  await abandonUpload(given.deps, {
    ...{ id: 'x', kind: 'session', imageId: given.imageId, writeId: given.session.id, dueAtMs: 0 },
    places,
  });

  await expectStaged(given);
});
