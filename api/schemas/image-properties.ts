/** The properties of the image schema (contract: schemas.md sections 3 to 5): what clients see and what their values are held to. */
import type { Config } from '../../core/config.ts';
import { VISIBILITIES } from '../../core/images/image.ts';
import type { Definition } from './definition.ts';

export const UUID_PATTERN = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$';

/** In the order that the schema shows. */
const STATUS_ORDER = [
  'queued',
  'saving',
  'active',
  'killed',
  'deleted',
  'uploading',
  'importing',
  'pending_delete',
  'deactivated',
] as const;

const LOCATIONS: Definition = {
  type: 'array',
  description: 'A set of URLs to access the image file kept in external store',
  items: {
    type: 'object',
    required: ['url', 'metadata'],
    properties: {
      url: { type: 'string', maxLength: 255 },
      metadata: { type: 'object' },
      validation_data: {
        type: 'object',
        description: 'Values to be used to populate the corresponding image properties.',
        writeOnly: true,
        additionalProperties: false,
        required: ['os_hash_algo', 'os_hash_value'],
        properties: {
          checksum: { type: 'string', minLength: 32, maxLength: 32 },
          os_hash_algo: { type: 'string', maxLength: 64 },
          os_hash_value: { type: 'string', maxLength: 128 },
        },
      },
    },
  },
};

/** Definitions of schema-image.json: custom properties whose values are checked. */
export const CUSTOM_DEFINITIONS: Readonly<Record<string, Definition>> = {
  kernel_id: {
    type: ['null', 'string'],
    pattern: UUID_PATTERN,
    description: 'ID of image stored in Glance that should be used as the kernel when booting an AMI-style image.',
    is_base: false,
  },
  ramdisk_id: {
    type: ['null', 'string'],
    pattern: UUID_PATTERN,
    description: 'ID of image stored in Glance that should be used as the ramdisk when booting an AMI-style image.',
    is_base: false,
  },
  instance_uuid: {
    type: 'string',
    description: 'Metadata which can be used to record which instance this image is associated with.',
    is_base: false,
  },
  architecture: { type: 'string', description: 'Operating system architecture.', is_base: false },
  os_distro: { type: 'string', description: 'Common name of operating system distribution.', is_base: false },
  os_version: {
    type: 'string',
    description: 'Operating system version as specified by the distributor.',
    is_base: false,
  },
  description: { type: 'string', description: 'A human-readable string describing this image.', is_base: false },
  cinder_encryption_key_id: {
    type: 'string',
    description: 'Identifier in the key manager for the encryption key of an encrypted volume image.',
    is_base: false,
  },
  cinder_encryption_key_deletion_policy: {
    type: 'string',
    enum: ['on_image_deletion', 'do_not_delete'],
    description: 'Says whether the encryption key is deleted with the image.',
    is_base: false,
  },
};

/** Base attributes: present in every image. */
export function baseDefinitions(config: Pick<Config, 'image_format'>): Readonly<Record<string, Definition>> {
  const { container_formats, disk_formats } = config.image_format;
  return {
    id: { type: 'string', description: 'An identifier for the image', pattern: UUID_PATTERN },
    name: { type: ['null', 'string'], description: 'Descriptive name for the image', maxLength: 255 },
    status: { type: 'string', readOnly: true, description: 'Status of the image', enum: STATUS_ORDER },
    visibility: { type: 'string', description: 'Scope of image accessibility', enum: VISIBILITIES },
    protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
    os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
    checksum: { type: ['null', 'string'], readOnly: true, description: 'md5 hash of image contents.', maxLength: 32 },
    os_hash_algo: {
      type: ['null', 'string'],
      readOnly: true,
      description: 'Algorithm to calculate the os_hash_value',
      maxLength: 64,
    },
    os_hash_value: {
      type: ['null', 'string'],
      readOnly: true,
      description: 'Hexdigest of the image contents using the algorithm specified by the os_hash_algo',
      maxLength: 128,
    },
    owner: { type: ['null', 'string'], description: 'Owner of the image', maxLength: 255 },
    size: { type: ['null', 'integer'], readOnly: true, description: 'Size of image file in bytes' },
    virtual_size: { type: ['null', 'integer'], readOnly: true, description: 'Virtual size of image in bytes' },
    container_format: {
      type: ['null', 'string'],
      description: 'Format of the container',
      enum: [null, ...container_formats],
    },
    disk_format: { type: ['null', 'string'], description: 'Format of the disk', enum: [null, ...disk_formats] },
    created_at: { type: 'string', readOnly: true, description: 'Date and time of image registration' },
    updated_at: { type: 'string', readOnly: true, description: 'Date and time of the last image modification' },
    tags: {
      type: 'array',
      description: 'List of strings related to the image',
      items: { type: 'string', maxLength: 255 },
    },
    direct_url: { type: 'string', readOnly: true, description: 'URL to access the image file kept in external store' },
    min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
    min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
    self: { type: 'string', readOnly: true, description: 'An image self url' },
    file: { type: 'string', readOnly: true, description: 'An image file url' },
    stores: { type: 'string', readOnly: true, description: 'Store in which image data resides.' },
    schema: { type: 'string', readOnly: true, description: 'An image schema url' },
    locations: LOCATIONS,
  };
}
