import type { Handlers } from '../../../api/handlers.ts';
import { importView } from '../../../api/imports/view.ts';
import type { Deps } from '../../../core/deps.ts';
import { cancelImport } from '../../../core/imports/cancel.ts';
import { listImports, showImport } from '../../../core/imports/queries.ts';
import { importTask } from '../../../core/imports/report/import-task.ts';
import { retryImport } from '../../../core/imports/retry.ts';

type ImportOperation = 'listImports' | 'showImport' | 'cancelImport' | 'retryImport';

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
  };
}
