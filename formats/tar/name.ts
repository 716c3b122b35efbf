import { Unsafe } from '../engine/errors.ts';

/**
 * A member's name with "./" and slashes at the end dropped; `.` for the archive's own root.
 * @throws Unsafe (`tar_unsafe_name`) on anything that could leave the archive: "..", absolute, backslash, NUL, drive letter
 */
export function safeName(name: string): string {
  const shown = JSON.stringify(name.slice(0, 120));
  if (name.startsWith('/') || /[\\\0]/u.test(name) || /^[a-z]:/iu.test(name)) {
    throw new Unsafe('tar_unsafe_name', `tar member name ${shown} is absolute or holds a backslash or NUL`);
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new Unsafe('tar_unsafe_name', `tar member name ${shown} leaves the archive by ".."`);
  return parts.length === 0 ? '.' : parts.join('/');
}

/**
 * The member a link at `from` points to; links are relative to their own folder, hard links to the archive's root.
 * @throws Unsafe (`tar_unsafe_name`) when the target lies outside the archive
 */
export function linkTarget(from: string, target: string, isHardLink: boolean): string {
  if (isHardLink) return safeName(target);
  if (target.startsWith('/') || /[\\\0]/u.test(target)) {
    throw new Unsafe('tar_unsafe_name', `link ${JSON.stringify(from)} points outside the archive`);
  }
  const path = from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') path.push(part);
    else if (path.pop() === undefined) {
      throw new Unsafe('tar_unsafe_name', `link ${JSON.stringify(from)} points outside the archive`);
    }
  }
  return path.join('/');
}
