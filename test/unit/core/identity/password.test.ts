import { describe, expect, it } from 'vitest';
import { TooManyRequests } from '../../../../core/errors.ts';
import { createTurnstile, hashPassword, isPassword } from '../../../../core/identity/password.ts';

describe('passwords', () => {
  it('are known again, each under its own salt', async () => {
    const [one, two] = await Promise.all([hashPassword('pâss'), hashPassword('pâss')]);

    expect(one).toMatch(/^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
    expect(one).not.toBe(two);
    expect(await isPassword('pâss'.normalize('NFD'), one)).toBe(true);
    expect(await isPassword('pass', one)).toBe(false);
  });

  it('are never an unreadable hash', async () => {
    expect(await isPassword('', '')).toBe(false);
    expect(await isPassword('x', 'md5$1$2$3$aa$bb')).toBe(false);
  });
});

describe('the turnstile', () => {
  it('lets two in at a time, in order, and goes on after a failure', async () => {
    const enter = createTurnstile();
    const leave: (() => void)[] = [];
    const entered: number[] = [];
    const visits = [0, 1, 2, 3].map((n) =>
      enter(async () => {
        entered.push(n);
        await new Promise<void>((resolve) => leave.push(resolve));
        if (n === 0) throw new Error('failed');
      }),
    );
    await Promise.resolve();
    expect(entered).toEqual([0, 1]);

    leave[0]?.();
    await expect(visits[0]).rejects.toThrow('failed');
    leave[1]?.();
    await visits[1];
    await expect.poll(() => entered).toEqual([0, 1, 2, 3]);
    leave[2]?.();
    leave[3]?.();
    await Promise.all(visits.slice(1));
  });

  it('turns away who would wait too long', async () => {
    const enter = createTurnstile();
    const never = () => new Promise<void>(() => undefined);
    for (let n = 0; n < 102; n += 1) void enter(never);

    await expect(enter(never)).rejects.toThrow(TooManyRequests);
  });
});
