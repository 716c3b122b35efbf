import { type Finding, IMAGE_TYPE, type LintInput, lintImage } from '../../api/metadefs/image-lint.ts';
import { EXIT } from '../exit.ts';
import type { Register } from '../main.ts';
import { findNamespace, listNamespaces } from '../metadefs/namespaces.ts';
import { ApiError, openSession, type Session } from '../session.ts';

/** `glimpse image lint`: exit 0 when there is nothing to say, 3 when there is, 1 when the service could not be asked. */
export const imageLintCommand: Register = (program, done) => {
  const image =
    program.commands.find((command) => command.name() === 'image') ??
    program.command('image').description('images of the service that OS_* variables name');
  image
    .command('lint')
    .description("check an image's properties against the metadata definitions: unknown values, likely typos")
    .argument('<image>', 'id or name')
    .option('--json', 'one JSON object per finding and line')
    .action(async (which: string, { json }: { readonly json?: boolean }) => {
      const session = await openSession(process.env);
      const findings = lintImage(await lintInput(session, which));
      for (const finding of findings)
        process.stdout.write(`${json === true ? JSON.stringify(finding) : line(finding)}\n`);
      done(findings.length === 0 ? EXIT.ok : EXIT.refused);
    });
};

function line({ message, suggestion }: Finding): string {
  return suggestion === undefined ? message : `${message}. Did you mean ${suggestion}?`;
}

async function lintInput(session: Session, which: string): Promise<LintInput> {
  const image = await findImage(session, which);
  const schema = await session.request<LintInput['schema']>('GET', '/v2/schemas/image');
  const type = encodeURIComponent(IMAGE_TYPE);
  const names = await listNamespaces(session, `&resource_types=${type}`);
  const namespaces = [];
  for (const { namespace } of names) {
    const shown = await findNamespace(session, namespace, `?resource_type=${type}`);
    if (shown !== undefined) namespaces.push(shown as LintInput['namespaces'][number]);
  }
  return { image, schema, namespaces };
}

/** By id, else by a name that only one image has. */
async function findImage(session: Session, which: string): Promise<LintInput['image']> {
  try {
    return await session.request('GET', `/v2/images/${encodeURIComponent(which)}`);
  } catch (error) {
    if (!(error instanceof ApiError) || ![400, 403, 404].includes(error.status)) throw error;
  }
  const name = encodeURIComponent(`in:"${which.replaceAll(/["\\]/g, '\\$&')}"`);
  const { images } = await session.request<{ images: readonly LintInput['image'][] }>('GET', `/v2/images?name=${name}`);
  const [image, another] = images;
  if (image === undefined) throw new Error(`there is no image ${which}`);
  if (another !== undefined) throw new Error(`more than one image is named ${which}; give its id`);
  return image;
}
