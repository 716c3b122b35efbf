import { NotFound, Unauthenticated } from '../errors.ts';
import type { Attempts } from './attempts.ts';
import { isSecret } from './password.ts';
import type { Credential, User } from './records.ts';
import type { IdentityRepository, ValidToken } from './repository.ts';

/** A record by id, or by name in a domain that is itself given by id or name. */
export type DomainRef = { readonly id: string } | { readonly name: string };
export type RefInDomain = { readonly id: string } | { readonly name: string; readonly domain: DomainRef };

/** What a client proves, one entry per method named in the request. */
export interface Proofs {
  readonly password?: { readonly user: RefInDomain; readonly password: string };
  readonly token?: { readonly id: string };
  readonly credential?:
    | { readonly id: string; readonly secret: string }
    | { readonly name: string; readonly user: RefInDomain; readonly secret: string };
}

/** What the methods proved: always the same user. */
export interface Proven {
  readonly userId: string;
  readonly methods: readonly string[];
  readonly credential?: Credential;
  readonly token?: ValidToken;
}

interface LoginDeps {
  readonly repository: IdentityRepository;
  readonly attempts: Attempts;
  readonly turnstile: <T>(work: () => Promise<T>) => Promise<T>;
  readonly validate: (token: string) => Promise<ValidToken>;
}

const WRONG = 'The request you have made requires authentication.';

/**
 * Checks every method given; all must succeed for one user.
 * @param source address of the client, for the limit of attempts.
 * @throws Unauthenticated; TooManyRequests; NotFound for a token that does not hold (Keystone answers 404 there).
 */
export async function prove(deps: LoginDeps, proofs: Proofs, source: string): Promise<Proven> {
  const proven: Proven[] = [];
  if (proofs.password) proven.push(await byPassword(deps, proofs.password, source));
  if (proofs.credential) proven.push(await byCredential(deps, proofs.credential, source));
  if (proofs.token) proven.push(await byToken(deps, proofs.token.id));
  const [first] = proven;
  if (first === undefined || proven.some(({ userId }) => userId !== first.userId)) throw new Unauthenticated(WRONG);
  return Object.assign({}, ...proven, { methods: proven.flatMap(({ methods }) => methods) });
}

/** Finds a user or project by reference; undefined when there is none. */
export async function findRef<K extends 'user' | 'project'>(repository: IdentityRepository, kind: K, ref: RefInDomain) {
  if ('id' in ref) return repository.get(kind, ref.id);
  const domainId = await domainIdOf(repository, ref.domain);
  return domainId === undefined ? undefined : repository.findByName(kind, domainId, ref.name);
}

export async function domainIdOf(repository: IdentityRepository, ref: DomainRef): Promise<string | undefined> {
  return 'id' in ref ? ref.id : (await repository.findByName('domain', '', ref.name))?.id;
}

async function byPassword(
  { repository, attempts, turnstile }: LoginDeps,
  { user: ref, password }: NonNullable<Proofs['password']>,
  source: string,
): Promise<Proven> {
  const user = await findRef(repository, 'user', ref);
  const account = user?.id ?? JSON.stringify(ref);
  await checkSecret({ attempts, turnstile }, account, source, password, usable(user)?.passwordHash ?? null);
  if (user === undefined) throw new Unauthenticated(WRONG);
  return { userId: user.id, methods: ['password'] };
}

async function byCredential(
  { repository, attempts, turnstile }: LoginDeps,
  proof: NonNullable<Proofs['credential']>,
  source: string,
): Promise<Proven> {
  const credential = await findCredential(repository, proof);
  const account = credential?.id ?? ('id' in proof ? proof.id : JSON.stringify(proof.user));
  await checkSecret({ attempts, turnstile }, account, source, proof.secret, credential?.secretHash ?? null);
  if (credential === undefined) throw new Unauthenticated(WRONG);
  return { userId: credential.userId, methods: ['application_credential'], credential };
}

async function findCredential(
  repository: IdentityRepository,
  proof: NonNullable<Proofs['credential']>,
): Promise<Credential | undefined> {
  if ('id' in proof) return repository.get('credential', proof.id);
  const user = await findRef(repository, 'user', proof.user);
  return user && repository.findByName('credential', user.id, proof.name);
}

async function byToken({ validate }: LoginDeps, id: string): Promise<Proven> {
  const token = await validate(id).catch((error: unknown) => {
    if (!(error instanceof Unauthenticated)) throw error;
    throw new NotFound('Could not recognize the token.', { cause: error });
  });
  return { userId: token.user.id, methods: [...token.methods, 'token'], token };
}

/** @throws Unauthenticated when `stored` is null or another secret; TooManyRequests after too many failures. */
async function checkSecret(
  { attempts, turnstile }: Pick<LoginDeps, 'attempts' | 'turnstile'>,
  account: string,
  source: string,
  secret: string,
  stored: string | null,
): Promise<void> {
  await turnstile(async () => {
    await attempts.check(account, source);
    if (await isSecret(secret, stored)) return;
    await attempts.countFailure(account, source);
    throw new Unauthenticated(WRONG);
  });
}

function usable(user: User | undefined): User | undefined {
  return user?.enabled === true ? user : undefined;
}
