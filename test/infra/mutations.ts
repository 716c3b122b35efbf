/** Mistakes one could make in the infrastructure, and the check that must notice each. */
import { DATA_PLANE } from './mutations/data-plane.ts';
import { PROGRAM } from './mutations/program.ts';
import { RIGHTS } from './mutations/rights.ts';

export interface Mutation {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Part of the name of a test that must fail. */
  readonly noticedBy: string;
}

export const MUTATIONS: readonly Mutation[] = Object.entries({ ...PROGRAM, ...RIGHTS, ...DATA_PLANE }).flatMap(
  ([file, mistakes]) => mistakes.map(([what, from, to, noticedBy]) => ({ file, what, from, to, noticedBy })),
);
