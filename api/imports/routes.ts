import { at, type Route } from '../route.ts';
import { ImportAnswer, ImportsAnswer, LeftOverAnswer } from './answers.ts';
import { ImportListQuery, LeftOverQuery } from './list-query.ts';

const route = at('images', 'token');

/** Our own API: what the Image API has no word for (design section 10). */
export const IMPORT_ROUTES = {
  listImports: route('GET', '/glimpse/v1/imports', 200, { query: ImportListQuery, answer: ImportsAnswer }),
  showImport: route('GET', '/glimpse/v1/imports/{task}', 200, { answer: ImportAnswer }),
  cancelImport: route('POST', '/glimpse/v1/imports/{task}/cancel', 200, { body: 'refused', answer: ImportAnswer }),
  /** The answer is the new import. */
  retryImport: route('POST', '/glimpse/v1/imports/{task}/retry', 202, { body: 'refused', answer: ImportAnswer }),
  listLeftovers: route('GET', '/glimpse/v1/leftovers', 200, { query: LeftOverQuery, answer: LeftOverAnswer }),
} as const satisfies Record<string, Route>;
