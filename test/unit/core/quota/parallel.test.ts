/** Quotas under requests that come together: exactly as many as fit get through, in memory and on the table. */
import { afterAll, describe, expect, test } from 'vitest';
import { createImageListing } from '../../../../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../../../../aws/dynamodb/images.ts';
import { createMemberRepository } from '../../../../aws/dynamodb/members.ts';
import type { Deps } from '../../../../core/deps.ts';
import { addMember } from '../../../../core/images/members.ts';
import { beginUpload, completeFile, completeStage } from '../../../../core/images/upload.ts';
import { callerWith } from '../../../support/caller.ts';
import { anImage } from '../../../support/images.ts';
import { type MemoryDeps, memoryDeps } from '../../../support/memory/deps.ts';
import { startTable } from '../../../support/table.ts';

const MIB = 1024 * 1024;
const OWNER = callerWith({ projectId: 'demo' });
const PARALLEL = 50;

type Open = (config: Record<string, unknown>) => Promise<MemoryDeps>;

function suite(open: Open): void {
  async function images(deps: Deps) {
    const made = Array.from({ length: PARALLEL }, () => anImage({ diskFormat: 'qcow2', containerFormat: 'bare' }));
    await Promise.all(made.map((image) => deps.images.create(image)));
    return made;
  }
  async function outcomes(work: readonly Promise<unknown>[]) {
    const ended = await Promise.allSettled(work);
    const refused = ended.filter((one) => one.status === 'rejected').map(({ reason }) => reason.kind);
    return { through: ended.length - refused.length, kinds: new Set(refused) };
  }
  const LIMITED = { through: 7, kinds: new Set(['LimitExceeded']) };
  const uploads = async (deps: MemoryDeps, kind: 'file' | 'stage', size: number, declared: boolean) =>
    outcomes(
      (await images(deps)).map(async ({ id }) => {
        const declaredSize = declared ? size : undefined;
        const upload = await beginUpload(deps, OWNER, { kind, imageId: id, store: undefined, declaredSize });
        const received = { size, storedBytes: size, url: `s3://central-bucket/${id}`, virtualSize: null };
        await (kind === 'file' ? completeFile : completeStage)(deps, upload, received);
      }),
    );

  test('members of an image', async () => {
    const deps = await open({ image_member_quota: 7 });
    const image = anImage();
    await deps.images.create(image);

    const added = Array.from({ length: PARALLEL }, (_, n) => addMember(deps, OWNER, image.id, `project-${n}`));

    expect(await outcomes(added)).toEqual(LIMITED);
    expect(await deps.members.list(image.id)).toHaveLength(7);
  });

  test.each([true, false])('bytes of a project, declared %s', async (declared) => {
    const deps = await open({ user_storage_quota: `${7 * 10 + 5}MB` });

    expect(await uploads(deps, 'file', 10 * MIB, declared)).toEqual(LIMITED);
    expect((await deps.imageList.usageOf('demo')).storedBytes).toBe(70 * MIB);
  });

  test.each([
    ['image_size_total', 'file', true],
    ['image_size_total', 'file', false],
    ['image_stage_total', 'stage', true],
    ['image_stage_total', 'stage', false],
  ] as const)('the unified limit %s, declared %s %s', async (limit, kind, declared) => {
    const deps = await open({
      use_keystone_limits: true,
      registered_limits: { [limit]: 75, image_count_uploading: 1000, image_count_total: 1000 },
    });

    expect(await uploads(deps, kind, 10 * MIB, declared)).toEqual(LIMITED);
    const { storedBytes, stagedBytes } = await deps.imageList.usageOf('demo');
    expect(kind === 'file' ? storedBytes : stagedBytes).toBe(70 * MIB);
  });
}

describe('in memory', () => suite(async (config) => memoryDeps(config)));

describe('on the table', () => {
  const opened: Awaited<ReturnType<typeof startTable>>[] = [];
  afterAll(async () => {
    for (const { close } of opened) await close();
  });
  suite(async (config) => {
    const database = await startTable();
    opened.push(database);
    const { table } = database;
    const deps = memoryDeps(config);
    return {
      ...deps,
      images: createImageRepository(table, deps),
      imageList: createImageListing(table),
      members: createMemberRepository(table),
    };
  });
});
