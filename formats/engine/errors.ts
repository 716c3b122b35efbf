/**
 * What can go wrong with bytes. A family of its own: tasks and gateway turn these into kinds of `core/errors.ts`.
 * `kind` is stable and machine readable; `message` names the structure, the offset and both values.
 */
export abstract class FormatError extends Error {
  abstract readonly kind: 'Truncated' | 'Corrupt' | 'Unsupported' | 'Unsafe' | 'LimitExceeded' | 'SourceChanged';
  override get name(): string {
    return this.kind;
  }
}

/** The object ends before a structure, table or data block that it names. */
export class Truncated extends FormatError {
  readonly kind = 'Truncated';
}

/** A field contradicts the specification or another field. */
export class Corrupt extends FormatError {
  readonly kind = 'Corrupt';
}

/** A legitimate feature or format that this engine does not read. */
export class Unsupported extends FormatError {
  readonly kind = 'Unsupported';
}

/** A finding of severity `refuse` forbids opening the image; `code` is the finding's code (findings.ts). */
export class Unsafe extends FormatError {
  readonly kind = 'Unsafe';
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A stated cap (virtual size, table size, expansion, steps of a walk) would be passed. */
export class LimitExceeded extends FormatError {
  readonly kind = 'LimitExceeded';
}

/** The source's ETag or size is not the one the plan was made for. */
export class SourceChanged extends FormatError {
  readonly kind = 'SourceChanged';
}
