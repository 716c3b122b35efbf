import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBody, tokenRequest } from '../../../../api/identity/token-request.ts';
import { Unauthenticated } from '../../../../core/errors.ts';

const user = { name: 'u', domain: { name: 'Default' }, password: 'p' };
const body = (scope?: unknown, identity: object = { methods: ['password'], password: { user } }) => ({
  auth: { identity, ...(scope === undefined ? {} : { scope }) },
});

describe('tokenRequest', () => {
  it.each([
    ['unscoped', { kind: 'unscoped' }],
    [{ unscoped: {} }, { kind: 'unscoped' }],
    [{ project: { id: 'x' } }, { kind: 'project', ref: { id: 'x' } }],
    [{ project: { name: 'x', domain: { id: 'd' } } }, { kind: 'project', ref: { name: 'x', domain: { id: 'd' } } }],
    [{ domain: { name: 'd' } }, { kind: 'domain', ref: { name: 'd' } }],
    [{ system: { all: true } }, { kind: 'system' }],
    [{ 'OS-TRUST:trust': { id: 't' } }, { kind: 'trust' }],
  ])('reads the scope %j', (scope, expected) => {
    expect(tokenRequest(TokenBody.parse(body(scope))).scope).toEqual(expected);
  });

  it('reads every method that is named and leaves the others alone', () => {
    const identity = {
      methods: ['password', 'token'],
      password: { user },
      token: { id: 't' },
      application_credential: 'not looked at',
    };

    expect(tokenRequest(TokenBody.parse(body(undefined, identity)))).toEqual({
      proofs: {
        password: { user: { name: 'u', domain: { name: 'Default' } }, password: 'p' },
        token: { id: 't' },
      },
    });
  });

  it.each(['totp', 'constructor', '__proto__'])('calls the method %s unsupported', (method) => {
    expect(() => tokenRequest(TokenBody.parse(body(undefined, { methods: [method] })))).toThrow(Unauthenticated);
  });

  it('throws nothing but its own errors, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (scope, password) => {
        const parsed = TokenBody.safeParse(body(scope, { methods: ['password'], password }));
        if (parsed.success) tokenRequest(parsed.data);
        return true;
      }),
    );
  });
});
