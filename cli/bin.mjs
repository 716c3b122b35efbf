#!/usr/bin/env node
// Runs the TypeScript sources, which needs Node 24; a checkout brings that version with it, as a package for each platform.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache?.();
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const [platform, executable] = process.platform === 'win32' ? ['win', 'node.exe'] : [process.platform, 'node'];
  const brought = `../node_modules/node-${platform}-${process.arch}/bin/${executable}`;
  const node = fileURLToPath(new URL(brought, import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(`glimpse: needs Node 24 or newer, this is ${process.versions.node}\n`);
    process.exit(1);
  }
  const { status } = spawnSync(node, process.argv.slice(1), { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
