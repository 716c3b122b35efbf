/** What stands in the way of a start, in one sentence for the person who can mend it. */

/** Codes of the operating system (errno(3)), as Node names them. */
const SENTENCES: Readonly<Record<string, (dataDir: string) => string>> = {
  EACCES: cannotBeWritten,
  EPERM: cannotBeWritten,
  EROFS: cannotBeWritten,
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  EEXIST: cannotBeMade,
  ENOTDIR: cannotBeMade,
};

function cannotBeWritten(dataDir: string): string {
  return `the data folder ${dataDir} cannot be written`;
}

function noSpace(dataDir: string): string {
  return `there is no space left for the data folder ${dataDir}`;
}

function cannotBeMade(dataDir: string): string {
  return `the data folder ${dataDir} cannot be made`;
}

/** A failure of the file system under the data folder; the message closes with what the system said. */
class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/**
 * The failure under a name that helps, when a file could not be written; else itself. Failures of a child process arrive as text,
 * which begins with the code, perhaps after the child's own words. A port
 * that may not be listened at has such a code as well, and is none of them.
 */
export function startFailure(error: unknown, dataDir: string): unknown {
  const text = reasonOf(error);
  const said = /(?<!\blisten )\b([A-Z]{4,8}): [^\n]*/.exec(text);
  const code = said?.[1] ?? '';
  if (said === null || !Object.hasOwn(SENTENCES, code)) return error;
  return new DataFolderError(`${SENTENCES[code]?.(dataDir)}: ${said[0]}`, { cause: error });
}

/** The message of an error and of what caused it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}; ${reasonOf(error.cause)}`;
}
