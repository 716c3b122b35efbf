// `npm start`. JavaScript that an old Node can read: says in one line what this checkout lacks, then runs the service.
import { existsSync, readFileSync } from 'node:fs';

const OLDEST = 24;

/** @param {string} message one line for a person */
function refuse(message) {
  process.stderr.write(`glimpse: ${message}\n`);
  process.exit(1);
}

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const missing = Object.keys(dependencies).filter(
  (name) => !existsSync(new URL(`../node_modules/${name}`, import.meta.url)),
);
if (missing.length > 0)
  refuse(`dependencies are missing (${missing[0]}${missing.length > 1 ? ' and more' : ''}): run \`npm ci\``);

const { node } = process.versions;
if (Number.parseInt(node, 10) < OLDEST)
  refuse(
    `this is Node ${node}, and ${OLDEST} or newer is needed: start with \`npm start\`, which brings its own on Linux and Windows`,
  );

await import('./start.ts');
