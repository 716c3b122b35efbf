/** Parts of the documentation that are printed from code: they lie between two comments, and what is around them is written by people. */
import { readFile, writeFile } from 'node:fs/promises';

export interface PrintedSection {
  /** Path of the page, from the root of the repository. */
  readonly page: string;
  /** Name in the comments: `<!-- printed: name, ... -->` and `<!-- end of name -->`. */
  readonly name: string;
  /** Markdown, without an empty line at either end. */
  readonly text: string;
}

/** The page with the section's text in place. @throws Error when the page does not have the two comments */
export function withSection(page: string, { page: path, name, text }: PrintedSection): string {
  const begin = new RegExp(`^<!-- printed: ${name}[ ,].*-->$`, 'm').exec(page);
  const end = page.indexOf(`<!-- end of ${name} -->`);
  if (begin === null || end < begin.index) throw new Error(`${path} has no section "${name}"`);
  return `${page.slice(0, begin.index + begin[0].length)}\n\n${text}\n\n${page.slice(end)}`;
}

/** The page as it is in the repository. */
export function readPage(path: string): Promise<string> {
  return readFile(new URL(`../${path}`, import.meta.url), 'utf8');
}

/** Writes every section into its page. */
export async function printSections(sections: readonly PrintedSection[]): Promise<void> {
  for (const section of sections) {
    const page = withSection(await readPage(section.page), section);
    await writeFile(new URL(`../${section.page}`, import.meta.url), page);
  }
}

/** A Markdown table; a `|` inside a cell is escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const code = (text: string): string => `\`${text}\``;
