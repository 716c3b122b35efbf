import validate from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { importImage, importImageInFunctions } from '../../../workflows/import-image.ts';
import { FUNCTIONS, LONG_STEPS } from '../../../workflows/topology.ts';

describe('workflow import-image', () => {
  it.each([importImage, importImageInFunctions])('is valid Amazon States Language', (definition) => {
    const { isValid, errors } = validate(structuredClone(definition) as never);

    expect(errors).toEqual([]);
    expect(isValid).toBe(true);
  });

  it('names only functions that the topology declares, and all of those that are its steps', () => {
    const named = new Set([...JSON.stringify(importImage).matchAll(/\$\{Fn\.([\w-]+)\}/g)].map((match) => match[1]));
    const steps = Object.keys(FUNCTIONS).filter((name) => name.startsWith('import-') && name !== 'import-ended');

    expect([...named].sort()).toEqual(steps.sort());
  });

  it('gives every step that moves bytes the vCPU of which its estimates speak', () => {
    for (const name of [...LONG_STEPS, 'import-render'] as const)
      expect(FUNCTIONS[name].memoryMiB, name).toBeGreaterThanOrEqual(1769);
  });

  it('has unique state names over all nesting: the local interpreter finds handlers by them', () => {
    const names: string[] = [];
    JSON.stringify(importImage, (key, value: unknown) => {
      if (key === 'States' && typeof value === 'object' && value !== null) names.push(...Object.keys(value));
      return value;
    });

    expect(new Set(names).size).toBe(names.length);
  });
});
