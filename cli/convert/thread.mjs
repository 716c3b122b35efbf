// A thread does not inherit the compile cache of its process: without it every thread would strip the types again.
import module from 'node:module';

module.enableCompileCache?.();
await import('./worker.ts');
