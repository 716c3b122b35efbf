import { InvalidArgumentError, Option } from 'commander';
import { DECLARABLE } from '../formats/catalog.ts';
import type { FormatName } from '../formats/engine/image.ts';
import { SAFETY_CHECKS } from '../formats/policy.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A number of bytes: 65536, 64k, 2M, 256G, 1T (powers of 1024). */
export function bytesArgument(text: string): number {
  const match = /^(\d+)([kmgt]?)(?:ib?)?$/iu.exec(text);
  const value = Number(match?.[1]) * (UNITS[(match?.[2] ?? '').toLowerCase()] ?? Number.NaN);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('a number of bytes, such as 65536, 64k or 2M');
  return value;
}

/** A whole number of at least 1. */
export function countArgument(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 1)) throw new InvalidArgumentError('a whole number of at least 1');
  return value;
}

/** A format that an image can be declared as. */
export function formatArgument(text: string): FormatName {
  const format = DECLARABLE.find((name) => name === text);
  if (format === undefined) throw new InvalidArgumentError(`one of ${DECLARABLE.join(', ')}`);
  return format;
}

/** The service's `gpt_safety_checks_nonfatal`, for every command that judges an image. */
export function nonfatalOption(): Option {
  return new Option('--nonfatal <check>', 'a safety check that only warns').choices(Object.keys(SAFETY_CHECKS));
}

/** What `nonfatalOption` was given, for `inspect`. */
export const checksOf = ({ nonfatal }: { readonly nonfatal?: string }): readonly string[] =>
  nonfatal === undefined ? [] : [nonfatal];
