import type { Handlers } from '../../../api/handlers.ts';
import { importView, leftOverView } from '../../../api/imports/view.ts';
import { pageLinks } from '../../../api/page-links.ts';
import type { Deps } from '../../../core/deps.ts';
import { listLeftOver } from '../../../core/images/left-over.ts';
import { cancelImport } from '../../../core/imports/cancel.ts';
import { listImports, showImport } from '../../../core/imports/queries.ts';
import { importTask } from '../../../core/imports/report/import-task.ts';
import { retryImport } from '../../../core/imports/retry.ts';

type ImportOperation = 'listImports' | 'showImport' | 'cancelImport' | 'retryImport' | 'listLeftovers';

export function importOperations(deps: Deps): Handlers<ImportOperation> {
  return {
    listImports: async ({ query, caller }) => ({
      imports: (await listImports(deps, caller, query())).map(importView),
    }),
    showImport: async ({ params, caller }) => importView(await showImport(deps, caller, params.task)),
    cancelImport: async ({ params, caller }) => importView(await cancelImport(deps, caller, params.task)),
    retryImport: async ({ params, caller }) => {
      const { id } = await retryImport(deps, caller, params.task);
      return importView({ task: await importTask(deps, id) });
    },
    listLeftovers: async ({ query, search, caller }) => {
      const { images, next } = await listLeftOver(deps, caller, query());
      return { images: images.map(leftOverView), ...pageLinks('/glimpse/v1/leftovers', search, next) };
    },
  };
}
