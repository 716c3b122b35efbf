import type { Handlers } from '../../../api/handlers.ts';
import { importInfoView, storesDetailView, storesView, usageView } from '../../../api/info/views.ts';
import { schemaDocuments } from '../../../api/schemas/documents.ts';
import type { Deps } from '../../../core/deps.ts';
import { enforceFor } from '../../../core/images/access.ts';
import { NO_USAGE } from '../../../core/quota/usage.ts';
import { abilitiesByStore } from '../../../core/stores/abilities.ts';
import { deleteStoreCopy } from '../../../core/stores/delete-copy.ts';

type InfoOperation =
  | 'deleteStoreCopy'
  | 'showImportInfo'
  | 'showStoresInfo'
  | 'showStoresDetail'
  | 'showUsage'
  | 'showImageSchema'
  | 'showImagesSchema'
  | 'showMemberSchema'
  | 'showMembersSchema'
  | 'showTaskSchema'
  | 'showTasksSchema';

export function infoOperations(deps: Deps): Handlers<InfoOperation> {
  const { config } = deps;
  const documents = schemaDocuments(config);
  return {
    deleteStoreCopy: ({ params, caller }) => deleteStoreCopy(deps, caller, params.store, params.id),
    showImportInfo: async () => importInfoView(config),
    showStoresInfo: async () => storesView(config),
    showStoresDetail: async ({ caller }) => {
      await enforceFor(deps, 'stores_info_detail', {}, caller);
      return storesDetailView(config, await abilitiesByStore(deps));
    },
    showUsage: async ({ caller }) => {
      if (!config.use_keystone_limits) return { usage: {} };
      const { projectId } = caller;
      const usage = projectId === null ? NO_USAGE : deps.imageList.usageOf(projectId);
      const limits = await deps.limits.of(projectId);
      return limits === undefined ? { usage: {} } : usageView(limits, await usage);
    },
    showImageSchema: async () => documents.image,
    showImagesSchema: async () => documents.images,
    showMemberSchema: async () => documents.member,
    showMembersSchema: async () => documents.members,
    showTaskSchema: async () => documents.task,
    showTasksSchema: async () => documents.tasks,
  };
}
