declare module 'dynalite' {
  import type { Server } from 'node:http';
  // biome-ignore lint/style/noDefaultExport: the shape of the package
  export default function dynalite(options?: { createTableMs?: number; path?: string }): Server;
}
