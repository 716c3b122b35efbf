/**
 * One public name for console, API and data plane. `cloudfront`: a distribution. `alb`: the gateway's load balancer, whose process hands
 * on what is not image bytes (docs/adr). Nothing that may stand behind a token is cached anywhere.
 */
import { CLIENT_HEADER, EDGE_HEADER } from '../api/client-address.ts';
import { DIVISION, pathPattern } from '../api/dispatch.ts';
import type { Route } from '../api/route.ts';
import { ROUTES } from '../api/routes.ts';
import { WITHOUT_GATEWAY } from '../api/without-gateway.ts';
import { api } from './api.ts';
import { gateway, isOn } from './gateway.ts';
import { edgeSecret } from './secrets.ts';
import { settings } from './stage.ts';

/** AWS managed policies (CloudFront developer guide, "Use managed cache policies" and "… origin request policies"). */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6';
const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';

const ALL_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/** Whatever the viewer sent under that name is replaced. */
const CLIENT_ADDRESS = `function handler(event) {
  event.request.headers['${CLIENT_HEADER}'] = { value: event.viewer.ip };
  return event.request;
}`;

/**
 * Where no gateway is, requests for image bytes are answered before their body comes: an API takes ten megabytes and then says nothing of
 * why. What only looks like one of them passes.
 */
const TOLD = `var asked = ${JSON.stringify(
  Object.values<Route>(ROUTES)
    .filter(({ group }) => group === 'gateway')
    .map(({ method, path }) => `^${method} ${path.replace('/v2/', '/v2[^/]*/').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
)};
var told = ${JSON.stringify(WITHOUT_GATEWAY)};
function handler(event) {
  var request = event.request;
  if (asked.some(function (one) { return new RegExp(one).test(request.method + ' ' + request.uri); }))
    return {
      statusCode: 503,
      statusDescription: 'Service Unavailable',
      headers: { 'content-type': { value: 'text/plain' }, 'cache-control': { value: 'no-store' } },
      body: { encoding: 'text', data: told[request.method === 'PUT' ? 'PUT' : 'GET'] },
    };
  request.headers['${CLIENT_HEADER}'] = { value: event.viewer.ip };
  return request;
}`;

/** Everything passes: every method, header but Host, and query; nothing is kept. The edge adds who the viewer is. */
const passing = (targetOriginId: 'api' | 'gateway', clientAddress: aws.cloudfront.Function) => ({
  functionAssociations: [{ eventType: 'viewer-request', functionArn: clientAddress.arn }],
  targetOriginId,
  viewerProtocolPolicy: 'https-only',
  allowedMethods: ALL_METHODS,
  cachedMethods: ['GET', 'HEAD'],
  cachePolicyId: CACHING_DISABLED,
  originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
  compress: false,
});

/**
 * Statuses that a distribution keeps for ten seconds unless told otherwise, under a key without the token: one tenant's 404 would answer
 * the owner. CloudFront developer guide, "How CloudFront caches HTTP 4xx and 5xx status codes". Their pages stay the origin's.
 */
const KEPT_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/** Image bytes of any v2 minor. A tag or member of that name matches too; the gateway hands those on. */
const BYTES = DIVISION.bytes.map(pathPattern);

export async function openEdge(): Promise<$util.Output<string>> {
  if (settings.edge === 'alb' && settings.domain) return $util.output(`https://${settings.domain.name}`);
  const console = settings.consoleDist === undefined ? undefined : await consoleParts(settings.consoleDist);
  const vpcOrigin = isOn ? gatewayOrigin() : undefined;
  const clientAddress = new aws.cloudfront.Function('ClientAddress', {
    name: `${$app.name}-${$app.stage}-client-address`,
    runtime: 'cloudfront-js-2.0',
    code: CLIENT_ADDRESS,
    publish: true,
  });
  const told = isOn
    ? undefined
    : new aws.cloudfront.Function('WithoutGateway', {
        name: `${$app.name}-${$app.stage}-without-gateway`,
        runtime: 'cloudfront-js-2.0',
        code: TOLD,
        publish: true,
      });
  // An origin's own header goes before one of the viewer's.
  const customHeaders = [{ name: EDGE_HEADER, value: edgeSecret }];
  const distribution = new aws.cloudfront.Distribution('Edge', {
    comment: `${$app.name} ${$app.stage}`,
    enabled: true,
    httpVersion: 'http2and3',
    isIpv6Enabled: true,
    waitForDeployment: true,
    aliases: settings.domain ? [settings.domain.name] : [],
    viewerCertificate: settings.domain
      ? {
          acmCertificateArn: settings.domain.certificateArn,
          sslSupportMethod: 'sni-only',
          minimumProtocolVersion: 'TLSv1.2_2021',
        }
      : { cloudfrontDefaultCertificate: true },
    restrictions: { geoRestriction: { restrictionType: 'none' } },
    origins: [
      {
        originId: 'api',
        customHeaders,
        domainName: api.nodes.api.apiEndpoint.apply((url) => new URL(url).hostname),
        customOriginConfig: {
          httpPort: 80,
          httpsPort: 443,
          originProtocolPolicy: 'https-only',
          originSslProtocols: ['TLSv1.2'],
          originReadTimeout: 60,
          originKeepaliveTimeout: 60,
        },
      },
      ...(vpcOrigin === undefined
        ? []
        : [
            {
              originId: 'gateway',
              customHeaders,
              domainName: gateway.nodes.loadBalancer.dnsName,
              vpcOriginConfig: { vpcOriginId: vpcOrigin.id, originReadTimeout: 120, originKeepaliveTimeout: 60 },
            },
          ]),
      ...(console?.origins ?? []),
    ],
    orderedCacheBehaviors: [
      ...BYTES.map((pathPattern) => ({
        pathPattern,
        ...(told === undefined ? passing('gateway', clientAddress) : passing('api', told)),
      })),
      ...(console?.behaviors ?? []),
    ],
    defaultCacheBehavior: passing('api', clientAddress),
    customErrorResponses: KEPT_ERRORS.map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 })),
  });
  console?.letRead(distribution.arn);
  return settings.domain
    ? $util.output(`https://${settings.domain.name}`)
    : $interpolate`https://${distribution.domainName}`;
}

function gatewayOrigin(): aws.cloudfront.VpcOrigin {
  return new aws.cloudfront.VpcOrigin('GatewayOrigin', {
    vpcOriginEndpointConfig: {
      name: `${$app.name}-${$app.stage}-gateway`,
      arn: gateway.nodes.loadBalancer.arn,
      httpPort: 80,
      httpsPort: 443,
      originProtocolPolicy: 'http-only',
      originSslProtocols: { items: ['TLSv1.2'], quantity: 1 },
    },
  });
}

/** Paths without a file name are the application's own: they get its page. */
const SINGLE_PAGE = `function handler(event) {
  var request = event.request;
  if (!/\\.[A-Za-z0-9]+$/.test(request.uri)) request.uri = '/console/index.html';
  return request;
}`;

async function consoleParts(folder: string) {
  const { consoleOrigin, letRead, uploadConsole } = await import('./console.ts');
  uploadConsole(folder);
  const access = new aws.cloudfront.OriginAccessControl('ConsoleAccess', {
    name: `${$app.name}-${$app.stage}-console`,
    originAccessControlOriginType: 's3',
    signingBehavior: 'always',
    signingProtocol: 'sigv4',
  });
  const pages = new aws.cloudfront.Function('ConsolePages', {
    name: `${$app.name}-${$app.stage}-console-pages`,
    runtime: 'cloudfront-js-2.0',
    code: SINGLE_PAGE,
    publish: true,
  });
  const behavior = (pathPattern: string) => ({
    pathPattern,
    targetOriginId: 'console',
    viewerProtocolPolicy: 'redirect-to-https',
    allowedMethods: ['GET', 'HEAD'],
    cachedMethods: ['GET', 'HEAD'],
    cachePolicyId: CACHING_OPTIMIZED,
    compress: true,
    functionAssociations: [{ eventType: 'viewer-request', functionArn: pages.arn }],
  });
  return {
    letRead,
    origins: [{ originId: 'console', domainName: consoleOrigin, originAccessControlId: access.id }],
    behaviors: [behavior('/console'), behavior('/console/*')],
  };
}
