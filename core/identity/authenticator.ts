import type { Caller } from './caller.ts';

/** Turns the tokens of a request into its caller. */
export interface Authenticator {
  /**
   * @param tokens `token` is X-Auth-Token, `serviceToken` X-Service-Token; `requestId` goes into the caller.
   * @throws Unauthenticated without a valid token, BackendUnavailable when the identity service cannot be asked.
   */
  authenticate(tokens: {
    readonly token: string | undefined;
    readonly serviceToken: string | undefined;
    readonly requestId: string;
  }): Promise<Caller>;
}
