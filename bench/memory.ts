import { readdir, readFile } from 'node:fs/promises';

const MIB = 1024 * 1024;

/** Resident bytes of a process and all below it. */
export async function treeBytes(root: number): Promise<number> {
  const parents = new Map<number, number>();
  const resident = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const status = /^\d+$/.test(name) ? await readFile(`/proc/${name}/status`, 'utf8').catch(() => '') : '';
    if (status === '') continue;
    parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    resident.set(Number(name), Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024);
  }
  const below = (pid: number): boolean => pid === root || (parents.has(pid) && below(parents.get(pid) ?? 0));
  return [...resident].reduce((sum, [pid, bytes]) => (below(pid) ? sum + bytes : sum), 0);
}

/** Watches a process tree; `stop` gives its peak in MiB above the start. */
export async function watchMemory(pid: number): Promise<{ stop(): Promise<number> }> {
  const idle = await treeBytes(pid);
  let peak = idle;
  let on = true;
  const watching = (async () => {
    while (on) {
      peak = Math.max(peak, await treeBytes(pid));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async stop() {
      on = false;
      await watching;
      return (peak - idle) / MIB;
    },
  };
}

/** Clock ticks of /proc/{pid}/stat per second (proc(5)); 100 on every Linux that Node runs on. */
const TICKS = 100;

/** CPU seconds, user and system, that a process and its present children have used: steady where wall time is not. */
export async function treeCpuSeconds(root: number): Promise<number> {
  let ticks = 0;
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(name) === root || Number(fields[1]) === root) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS;
}
