/**
 * Ends processes that may outlive this one: a frozen process does not notice that its parent was killed. A shell reads which ones
 * there are; when its input ends, this process has, and it kills those that are left.
 */
import { spawn } from 'node:child_process';

export interface Reaper {
  watch(pid: number): void;
  forget(pid: number): void;
  close(): void;
}

const SCRIPT = `trap '' INT TERM HUP
live=' '
while read -r sign pid; do
  case $sign in
    +) live="$live$pid " ;;
    -) live="\${live%% $pid *} \${live#* $pid }" ;;
  esac
done
[ -z "\${live// /}" ] || kill -9 $live 2>/dev/null`;

export function startReaper(): Reaper {
  const shell = spawn('bash', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  // A machine without the shell: processes end with this one unless it is killed.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  return {
    watch: (pid) => void shell.stdin.write(`+ ${pid}\n`),
    forget: (pid) => void shell.stdin.write(`- ${pid}\n`),
    close: () => void shell.stdin.end(),
  };
}
