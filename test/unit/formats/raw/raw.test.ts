import { describe, expect, it } from 'vitest';
import { Truncated } from '../../../../formats/engine/errors.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { raw, rawImage } from '../../../../formats/raw/module.ts';

const BYTES = Buffer.from(Array.from({ length: 1024 }, (_, at) => at % 251));

async function inspect(bytes: Uint8Array) {
  const source = memorySource(bytes);
  return raw.inspect(source, await probeWindow(source));
}

describe('a raw image', () => {
  it.each([
    [0, 1024, [[0, 1024]]],
    [512, 1024, [[512, 512]]],
    [7, 8, [[7, 1]]],
    [7, 7, []],
    [8, 7, []],
  ])('from %i to %i has all its bytes stored', async (start, end, runs) => {
    const extents = [];
    for await (const extent of rawImage(memorySource(BYTES)).extents(start, end)) extents.push(extent);

    expect(extents).toEqual(
      runs.map(([at, length]) => ({ start: at, length, allocated: true, zero: false, compressed: false })),
    );
  });

  it('is read where it lies, and not past its end', async () => {
    const image = await raw.open?.(memorySource(BYTES));
    const target = Buffer.alloc(10);
    await image?.readInto(1000, target);

    expect(target).toEqual(BYTES.subarray(1000, 1010));
    expect(image).toMatchObject({ format: 'raw', virtualSize: 1024 });
    await expect(image?.readInto(1015, target)).rejects.toBeInstanceOf(Truncated);
    await expect(image?.readInto(-1, target)).rejects.toBeInstanceOf(Truncated);
  });
});

describe('the raw format', () => {
  it.each([
    [0, []],
    [512, []],
    [1024, []],
    [1, ['odd_length']],
    [511, ['odd_length']],
    [513, ['odd_length']],
  ])('tells of %i bytes whether they are whole sectors', async (size, codes) => {
    const { findings, ...facts } = await inspect(BYTES.subarray(0, size));

    expect(facts).toEqual({ format: 'raw', virtualSize: size, details: {} });
    expect(findings.map(({ code }) => code)).toEqual(codes);
  });

  it('is what remains: it matches nothing by itself', async () => {
    expect(raw.probe(await probeWindow(memorySource(BYTES)))).toBe(false);
  });

  it('is refused for having no bytes, for not being what was declared, and for being two things', () => {
    expect(raw.safetyRules).toEqual(['empty', 'format_mismatch', 'multiple_formats']);
  });
});
