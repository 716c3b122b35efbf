import { afterEach, expect, it, vi } from 'vitest';
import { AwsError, required, toAwsError } from '../../../../local/wire/aws-error.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

it('is 400 without details unless it says otherwise, and is named by its code', () => {
  expect(new AwsError('A', 'text')).toMatchObject({ name: 'A', code: 'A', message: 'text', status: 400, details: {} });
  expect(new AwsError('A', 'text', 409, { Item: {} })).toMatchObject({ status: 409, details: { Item: {} } });
});

it('stays what it is when it is one', () => {
  const error = new AwsError('A', 'text');

  expect(toAwsError(error)).toBe(error);
});

it.each([
  [new Error('secret'), /^embedded AWS: Error: secret\n {4}at /u],
  [Object.assign(new Error('secret'), { stack: undefined }), /^embedded AWS: secret\n$/u],
  ['secret', /^embedded AWS: secret\n$/u],
])('of anything else keeps the cause out of the answer, and says it here: %s', (thrown, said) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);

  expect(toAwsError(thrown)).toMatchObject({
    code: 'InternalServerError',
    message: 'internal error of the embedded AWS',
    status: 500,
  });
  expect(write.mock.calls[0]?.[0]).toMatch(said);
});

it.each([{}, { name: '' }, { name: 1 }])('asks for a member that is not in %j', (input) => {
  expect(() => required(input, 'name')).toThrow(
    expect.objectContaining({ code: 'ValidationException', message: 'name is required' }),
  );
});

it('gives a member that is there', () => {
  expect(required({ name: 'a' }, 'name')).toBe('a');
});
