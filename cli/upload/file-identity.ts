import { statSync } from 'node:fs';

/** A file that is not the one any more that it was. */
export class FileChanged extends Error {}

/** What tells one version of a file from another, also after the machine was started again. @throws the file system's errors */
export function fileIdentity(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return [ino, size, mtimeNs].map((value) => value.toString(36)).join('-');
}

/** @throws FileChanged */
export function assertUnchanged(path: string, identity: string): void {
  if (fileIdentity(path) !== identity) throw new FileChanged(`${path} changed while it was sent`);
}
