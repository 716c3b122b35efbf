import { describe, expect, it } from 'vitest';
import type { FormatModule } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { cowdModule, qcow1Module, qedModule, sesparseModule } from '../../../../formats/unsupported/module.ts';

const text = (start: string): Buffer => Buffer.from(start.padEnd(512, '\0'), 'latin1');
const head = (...words: number[]): Buffer =>
  Buffer.from(words.flatMap((n) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]));
const windowOf = (bytes: Buffer) => ({ head: bytes, tail: bytes, size: bytes.length });

describe.each<[string, FormatModule, Buffer, Record<string, Buffer>, RegExp]>([
  ['qed', qedModule, text('QED\0'), { 'another end of the magic': text('QED1') }, /banned/],
  [
    'qcow1',
    qcow1Module,
    head(0x514649fb, 1),
    {
      'version 2': head(0x514649fb, 2),
      'the version of the other byte order': head(0x514649fb, 0x01000000),
      'another magic': head(0x514649fa, 1),
      'no version at all': head(0x514649fb),
    },
    /version 1/,
  ],
  ['cowd', cowdModule, text('COWD'), { 'another magic': text('COWE') }, /part of a disk/],
  [
    'sesparse',
    sesparseModule,
    head(0xbebafeca, 0),
    {
      'the magic of the other byte order': head(0xcafebabe, 0),
      'another upper half': head(0xbebafeca, 1),
      'another lower half': head(0, 0),
    },
    /part of a disk/,
  ],
])('%s', (format, module, bytes, others, why) => {
  it('is recognised, and refused with the reason', async () => {
    expect(module.format).toBe(format);
    expect(module.probe(windowOf(bytes))).toBe(true);
    expect(module.safetyRules).toEqual(['unsupported_format']);
    expect(await module.inspect(memorySource(bytes), windowOf(bytes))).toEqual({
      ...{ format, details: {} },
      findings: [
        expect.objectContaining({
          code: 'unsupported_format',
          severity: 'refuse',
          message: expect.stringMatching(why),
        }),
      ],
    });
  });

  it.each(Object.entries(others))('%s is something else', (_, other) => {
    expect(module.probe(windowOf(other))).toBe(false);
  });
});
