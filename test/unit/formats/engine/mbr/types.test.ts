import { describe, expect, it } from 'vitest';
import { gptTypeName } from '../../../../../formats/engine/gpt/types.ts';
import { mbrTypeCode, mbrTypeName } from '../../../../../formats/engine/mbr/types.ts';

describe('types of partitions', () => {
  it.each([
    [0x83, '0x83', 'Linux'],
    [0x07, '0x07', 'NTFS or exFAT'],
    [0x99, '0x99', 'Unknown'],
    [0x02, '0x02', 'Unknown'],
  ])('of an MBR: %i is written %s and called %s', (type, code, name) => {
    expect([mbrTypeCode(type), mbrTypeName(type)]).toEqual([code, name]);
  });

  it.each([
    ['0FC63DAF-8483-4772-8E79-3D69D8477DE4', 'Linux filesystem'],
    ['0FC63DAF-8483-4772-8E79-000000000000', 'Unknown'],
  ])('of a GPT: %s is called %s', (type, name) => {
    expect(gptTypeName(type)).toBe(name);
  });
});
