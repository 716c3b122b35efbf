/** Options of commands that make an image, and the record that they mean. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ImageInput } from '../../api/images/create-body.ts';
import { countArgument } from '../options.ts';

export interface ImageOptions {
  readonly name?: string;
  readonly diskFormat?: string;
  readonly containerFormat?: string;
  readonly minDisk?: number;
  readonly minRam?: number;
  readonly public?: true;
  readonly visibility?: ImageInput['visibility'];
  readonly protected?: true;
  readonly tag: readonly string[];
  readonly property: Readonly<Record<string, string>>;
  readonly stores?: readonly string[];
}

/** `name=value`, added to those before it. */
export function propertyArgument(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('name=value');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Names by commas. */
export function namesArgument(text: string): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length === 0) throw new InvalidArgumentError('names by commas');
  return names;
}

const VISIBILITIES = ['public', 'private', 'shared', 'community'] as const;

/** Adds the options. */
export function withImageOptions(command: Command): Command {
  return command
    .option('--name <name>', "name of the image (default: the file's, without its extension)")
    .option('--disk-format <format>', 'what it is: raw, qcow2, … (default: what the engine finds)')
    .option('--container-format <format>', 'what it is in (default: bare, or what the engine finds)')
    .option('--min-disk <GiB>', 'disk that a guest needs', countArgument)
    .option('--min-ram <MiB>', 'memory that a guest needs', countArgument)
    .option('--public', 'the same as --visibility public')
    .addOption(new Option('--visibility <who>', 'who sees it').choices(VISIBILITIES))
    .option('--protected', 'cannot be deleted')
    .option('--tag <tag>', 'may be repeated', (tag: string, before: readonly string[]) => [...before, tag], [])
    .option('--property <name=value>', 'may be repeated', propertyArgument, {})
    .option('--stores <names>', 'stores to import to, by commas (default: the default store)', namesArgument);
}

/** The record that the options ask for. @param found what is known of the bytes, which options overrule */
export function recordOf(
  options: ImageOptions,
  found: { readonly name: string; readonly diskFormat: string; readonly containerFormat: string },
): ImageInput {
  const visibility = options.visibility ?? (options.public === true ? 'public' : undefined);
  return {
    ...options.property,
    name: options.name ?? found.name,
    disk_format: options.diskFormat ?? found.diskFormat,
    container_format: options.containerFormat ?? found.containerFormat,
    ...(options.minDisk !== undefined && { min_disk: options.minDisk }),
    ...(options.minRam !== undefined && { min_ram: options.minRam }),
    ...(visibility !== undefined && { visibility }),
    ...(options.protected === true && { protected: true }),
    ...(options.tag.length > 0 && { tags: options.tag }),
  };
}
