import { at, type Route } from '../route.ts';
import { ImportInfo, StoresAnswer, StoresDetail, UsageAnswer } from './answers.ts';

const route = at('images', 'token');

/** Stores, and what a client may ask about the service (contract: images.md section 16). */
export const INFO_ROUTES = {
  deleteStoreCopy: route('DELETE', '/v2/stores/{store}/{id}', 204, { body: 'refused' }),
  showImportInfo: route('GET', '/v2/info/import', 200, { body: 'refused', answer: ImportInfo }),
  showStoresInfo: route('GET', '/v2/info/stores', 200, { body: 'refused', answer: StoresAnswer }),
  showStoresDetail: route('GET', '/v2/info/stores/detail', 200, { body: 'refused', answer: StoresDetail }),
  showUsage: route('GET', '/v2/info/usage', 200, { answer: UsageAnswer }),
} as const satisfies Record<string, Route>;
