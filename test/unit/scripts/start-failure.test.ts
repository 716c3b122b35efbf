import { describe, expect, it } from 'vitest';
import { startFailure } from '../../../scripts/start-failure.ts';

describe('startFailure', () => {
  it.each([
    [
      'EACCES: permission denied, open /d/x',
      'the data folder /d cannot be written: EACCES: permission denied, open /d/x',
    ],
    ['EPERM: operation not permitted', 'the data folder /d cannot be written: EPERM: operation not permitted'],
    ['EROFS: read-only file system', 'the data folder /d cannot be written: EROFS: read-only file system'],
    [
      'ENOSPC: no space left on device',
      'there is no space left for the data folder /d: ENOSPC: no space left on device',
    ],
    ['EDQUOT: quota', 'there is no space left for the data folder /d: EDQUOT: quota'],
    ['ENOTDIR: not a directory', 'the data folder /d cannot be made: ENOTDIR: not a directory'],
    ['DynamoDB data: Error: EROFS: no', 'the data folder /d cannot be written: EROFS: no'],
  ])('says what %s means', (message, sentence) => {
    expect(startFailure(new Error(message), '/d')).toMatchObject({ message: sentence });
  });

  it('finds the reason in what caused the failure', () => {
    const error = new Error('the store is not open', { cause: new Error('ENOSPC: full\nand more') });

    expect(startFailure(error, '/d')).toMatchObject({
      message: 'there is no space left for the data folder /d: ENOSPC: full',
      cause: error,
    });
  });

  it.each([new Error('port 9292 is in use'), new Error('listen EACCES: permission denied 127.0.0.1:80'), 'a text'])(
    'leaves %s alone',
    (error) => {
      expect(startFailure(error, '/d')).toBe(error);
    },
  );
});
