import { describe, expect, it } from 'vitest';
import { apiSections } from '../../../scripts/print-api.ts';
import { cliSections } from '../../../scripts/print-cli.ts';
import { configurationSections } from '../../../scripts/print-configuration.ts';
import { workflowSections } from '../../../scripts/print-workflow.ts';
import { readPage, withSection } from '../../../scripts/printed-section.ts';
import { ENVIRONMENT } from '../../../service/environment.ts';
import { importImage } from '../../../workflows/import-image.ts';

const PRINTERS = [
  { command: 'docs:api', sections: apiSections() },
  { command: 'docs:configuration', sections: configurationSections() },
  { command: 'docs:cli', sections: await cliSections() },
  { command: 'docs:workflow', sections: workflowSections() },
];
const SECTIONS = PRINTERS.flatMap(({ command, sections }) => sections.map((section) => ({ command, ...section })));

describe('printed documentation', () => {
  it.each(SECTIONS)('$page: "$name" is what `npm run $command` prints', async ({ command: _, ...section }) => {
    const page = await readPage(section.page);

    const printed = withSection(page, section);

    expect(page).toBe(printed);
  });

  it('names every environment variable on the configuration page', async () => {
    const page = await readPage('docs/operations/configuration.md');

    for (const name of Object.values(ENVIRONMENT)) expect(page).toContain(`| \`${name}\` |`);
  });

  it('replaces what is between the two comments and nothing else', () => {
    const page = 'before\n<!-- printed: x, by y -->\nold\n<!-- end of x -->\nafter\n';

    const printed = withSection(page, { page: 'a.md', name: 'x', text: 'new' });

    expect(printed).toBe('before\n<!-- printed: x, by y -->\n\nnew\n\n<!-- end of x -->\nafter\n');
  });

  it('refuses a page without the section', () => {
    expect(() => withSection('# no comments here', { page: 'a.md', name: 'x', text: '' })).toThrow(
      'a.md has no section "x"',
    );
  });

  it('draws every state of the workflow and every way out of it', () => {
    const [diagram] = workflowSections();
    const names: string[] = [];
    JSON.stringify(importImage, (key, value: unknown) => {
      if (key === 'States' && typeof value === 'object' && value !== null) names.push(...Object.keys(value));
      if (key === 'Next') expect(diagram?.text).toMatch(new RegExp(`> ${String(value)}$`, 'm'));
      return value;
    });

    for (const name of names) expect(diagram?.text).toMatch(new RegExp(`^ +(subgraph )?${name}[[{(]`, 'm'));
  });
});
