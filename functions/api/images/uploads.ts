import type { Handlers } from '../../../api/handlers.ts';
import { linkView, signedPartView, uploadView } from '../../../api/uploads/view.ts';
import type { Deps } from '../../../core/deps.ts';
import { createLink } from '../../../core/images/link.ts';
import { completeUpload } from '../../../core/uploads/complete.ts';
import { createUpload } from '../../../core/uploads/create.ts';
import { abortUpload } from '../../../core/uploads/end.ts';
import { listUploads, showUpload } from '../../../core/uploads/show.ts';
import { signParts } from '../../../core/uploads/sign-parts.ts';

type UploadOperation =
  | 'createUpload'
  | 'listUploads'
  | 'showUpload'
  | 'signParts'
  | 'completeUpload'
  | 'abortUpload'
  | 'createLink';

export function uploadOperations(deps: Deps): Handlers<UploadOperation> {
  return {
    createUpload: async ({ params, body, caller }) => {
      const { size, part_size: partSize } = body();
      const session = await createUpload(deps, caller, params.id, { size, partSize });
      return { upload: uploadView({ session, received: 0, parts: [] }) };
    },
    listUploads: async ({ params, caller }) => ({
      uploads: (await listUploads(deps, caller, params.id)).map(uploadView),
    }),
    showUpload: async ({ params, caller }) => uploadView(await showUpload(deps, caller, params.id, params.upload)),
    signParts: async ({ params, body, caller }) => {
      const parts = await signParts(deps, caller, params.id, params.upload, body().parts);
      return { parts: parts.map(signedPartView) };
    },
    completeUpload: async ({ params, caller }) =>
      uploadView(await completeUpload(deps, caller, params.id, params.upload)),
    abortUpload: ({ params, caller }) => abortUpload(deps, caller, params.id, params.upload),
    createLink: async ({ params, caller }) => linkView(await createLink(deps, caller, params.id)),
  };
}
