import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDropBox } from '../../../bytes/drop-box.ts';
import { BackendUnavailable } from '../../../core/errors.ts';
import { memoryStore } from '../../support/memory/store.ts';

const KEY = 'drop/demo/disk.raw';
const ASIDE = 'quarantine/demo/disk.raw';
const REASON = 'there is no project "ä"';

/** A staging bucket whose service copies at most 1000 bytes at once, with a dropped file of so many. */
async function dropped(bytes: number) {
  const staging = memoryStore({ id: 'staging', abilities: { maxCopyBytes: 1000, minPartBytes: 10 } });
  const body = randomBytes(bytes);
  await staging.putObject(KEY, body);
  return { staging, body, box: createDropBox(staging) };
}

describe('a dropped file is set aside with its bytes and the reason', () => {
  it.each([0, 1, 1000, 1001, 2000, 12_345])('of %i bytes', async (bytes) => {
    const { staging, body, box } = await dropped(bytes);

    await box.setAside(KEY, REASON);

    expect([...staging.objects.keys()]).toEqual([ASIDE]);
    expect(staging.objects.get(ASIDE)?.bytes.equals(body)).toBe(true);
    expect((await staging.headObject(ASIDE)).metadata).toEqual({ reason: encodeURIComponent(REASON) });
    expect(staging.unfinished()).toEqual([]);
  });

  it('and stays where it was, with nothing begun, when the service fails in the middle of its parts', async () => {
    const { staging, body, box } = await dropped(5000);
    staging.fault = ({ method }) => {
      if (method === 'complete') throw new BackendUnavailable('away');
    };

    await expect(box.setAside(KEY, REASON)).rejects.toThrow('away');

    expect([...staging.objects.keys()]).toEqual([KEY]);
    expect(staging.unfinished()).toEqual([]);
    staging.fault = undefined;
    await box.setAside(KEY, REASON);
    expect(staging.objects.get(ASIDE)?.bytes.equals(body)).toBe(true);
  });
});
