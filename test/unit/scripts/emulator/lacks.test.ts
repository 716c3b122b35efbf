import { expect, test } from 'vitest';
import { traitsOf } from '../../../../scripts/emulator/lacks.ts';

test('what the version that was tried lacks is said in one line each, and nothing else', () => {
  const { title, abilities, lines } = traitsOf({ name: 'LocalStack', version: '4.13.1' }, 'http://127.0.0.1:4567');

  expect([title, abilities]).toEqual(['LocalStack 4.13.1', { schedules: false, containers: false }]);
  expect(lines).toHaveLength(4);
  expect(lines.every((line) => /^LocalStack 4\.13\.1 [^\n]+: [^\n]+$/.test(line))).toBe(true);
  expect(lines[3]).toContain('tables are at http://127.0.0.1:4567');
});

test('another version is said, and used', () => {
  const { lines, abilities } = traitsOf({ name: 'LocalStack', version: '4.12.0' }, undefined);

  expect(lines[0]).toBe(
    'LocalStack 4.12.0: 4.13.1 is the version that was tried: what it lacks beyond this is not known',
  );
  expect(abilities).toEqual({ schedules: false, containers: false });
  expect(lines.some((line) => line.includes('DynamoDB'))).toBe(false);
});

test('an emulator that nobody tried gets the least', () => {
  const { title, abilities, lines } = traitsOf({ name: 'emulator' }, undefined);

  expect([title, abilities]).toEqual(['emulator', { schedules: false, containers: false }]);
  expect(lines[0]).toContain('this emulator was not tried');
});
