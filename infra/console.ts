/** The built console as objects of a private bucket that only the distribution reads. */
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

const bucket = new aws.s3.Bucket('Console', { forceDestroy: true });
const locked = new aws.s3.BucketPublicAccessBlock('ConsolePublicAccessBlock', {
  bucket: bucket.bucket,
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
});

export const consoleOrigin = bucket.bucketRegionalDomainName;

/** The distribution reads, over TLS; nobody else. */
export function letRead(distributionArn: $util.Input<string>): void {
  new aws.s3.BucketPolicy(
    'ConsolePolicy',
    {
      bucket: bucket.bucket,
      policy: $jsonStringify({
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'TheDistributionReads',
            Effect: 'Allow',
            Principal: { Service: 'cloudfront.amazonaws.com' },
            Action: 's3:GetObject',
            Resource: $interpolate`${bucket.arn}/*`,
            Condition: { StringEquals: { 'aws:SourceArn': distributionArn } },
          },
          {
            Sid: 'OverTlsOnly',
            Effect: 'Deny',
            Principal: '*',
            Action: 's3:*',
            Resource: [bucket.arn, $interpolate`${bucket.arn}/*`],
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      }),
    },
    { dependsOn: [locked] },
  );
}

/** @param folder of the build, relative to the repository */
export function uploadConsole(folder: string): void {
  const root = join($cli.paths.root, folder);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1).replaceAll('\\', '/');
    new aws.s3.BucketObjectv2(`Console/${name}`, {
      bucket: bucket.bucket,
      key: `console/${name}`,
      source: new $util.asset.FileAsset(path),
      contentType: TYPES[extname(name)] ?? 'application/octet-stream',
      // Names of assets carry their hash; what names them must not be kept.
      cacheControl: name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  }
}
