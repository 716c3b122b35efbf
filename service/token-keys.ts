import type { JWK } from 'jose';
import { ENVIRONMENT, EnvironmentError } from './environment.ts';

/** The keys in a variable's text. @throws EnvironmentError that says nothing of the value */
export function keysIn(name: 'signingKeys' | 'verificationKeys', text: string): JWK[] {
  try {
    return JSON.parse(text) as JWK[];
  } catch {
    // biome-ignore lint/style/useErrorCause: the parser's own words would quote the secret
    throw new EnvironmentError(`${ENVIRONMENT[name]} is no JSON array of keys`);
  }
}
