/** Carries out what a Dockerfile says about files, without docker: which files of the context land where in the last stage. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

export async function instructions(path: string): Promise<Instruction[]> {
  const text = (await readFile(path, 'utf8')).replaceAll(/\\\n/g, ' ');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [keyword = '', ...rest] = line.trim().split(/\s+/);
      return { keyword: keyword.toUpperCase(), rest: rest.join(' ') };
    });
}

/** Instructions of the last stage. */
export function lastStage(all: readonly Instruction[]): Instruction[] {
  return all.slice(all.findLastIndex(({ keyword }) => keyword === 'FROM'));
}

/** The allow list of a `.dockerignore` that begins with `*`: top-level names and folders that enter the context. */
async function allowedInContext(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.trim());
  if (lines[0] !== '*') throw new Error(`${path} must begin with * and name what may enter`);
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}

/** Copies what the last stage copies from the context into `target`. @throws Error for a source outside the context */
export async function layOut(root: string, dockerfile: string, target: string): Promise<void> {
  const context = await allowedInContext(`${dockerfile}.dockerignore`);
  for (const { keyword, rest } of lastStage(await instructions(dockerfile))) {
    if (keyword !== 'COPY' || rest.startsWith('--from')) continue;
    const [source = '', destination = ''] = rest.split(' ');
    if (!context.some((entry) => source === entry || source.startsWith(`${entry}/`)))
      throw new Error(`COPY ${source}: the .dockerignore keeps it out of the context`);
    if (!existsSync(join(root, source))) throw new Error(`COPY ${source}: there is no such file`);
    const to = join(target, destination === './' ? source : destination);
    await mkdir(dirname(to), { recursive: true });
    await cp(join(root, source), to, { recursive: true });
  }
}
