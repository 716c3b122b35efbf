/** Status and default message of every error this service answers. Source: Amazon S3 API reference, "Error responses". */
const ERRORS = {
  AccessDenied: [403, 'Access Denied'],
  AccessForbidden: [403, 'Access Forbidden'],
  AuthorizationHeaderMalformed: [400, 'The authorization header is malformed.'],
  AuthorizationQueryParametersError: [400, 'The presigned query parameters are not valid'],
  BadDigest: [400, 'The Content-MD5 you specified did not match what we received.'],
  BadRequest: [400, 'Bad Request'],
  BucketAlreadyOwnedByYou: [409, 'Your previous request to create the named bucket succeeded and you already own it.'],
  BucketNotEmpty: [409, 'The bucket you tried to delete is not empty'],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed object size.'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed size'],
  IllegalLocationConstraintException: [
    400,
    'The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.',
  ],
  IncompleteBody: [400, 'You did not provide the number of bytes specified by the Content-Length HTTP header'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The AWS access key ID you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid argument'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidDigest: [400, 'The Content-MD5 you specified was invalid.'],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [400, 'The list of parts was not in ascending order. Parts must be ordered by part number.'],
  InvalidRange: [416, 'The requested range is not satisfiable'],
  InvalidRequest: [400, 'Invalid request'],
  InvalidTag: [400, 'The tag provided was not a valid tag.'],
  InvalidURI: [400, 'Could not parse the specified URI.'],
  KeyTooLongError: [400, 'Your key is too long'],
  MalformedPolicy: [400, "Policies must be valid JSON and the first byte must be '{'"],
  MalformedXML: [400, 'The XML you provided was not well-formed or did not validate against our published schema'],
  MetadataTooLarge: [400, 'Your metadata headers exceed the maximum allowed metadata size'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchBucketPolicy: [404, 'The bucket policy does not exist'],
  NoSuchCORSConfiguration: [404, 'The CORS configuration does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchLifecycleConfiguration: [404, 'The lifecycle configuration does not exist'],
  NoSuchUpload: [
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  ],
  NotImplemented: [501, 'A header or query parameter you provided implies functionality that is not implemented'],
  NotModified: [304, 'Not Modified'],
  PermanentRedirect: [
    301,
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
  ],
  PreconditionFailed: [412, 'At least one of the pre-conditions you specified did not hold'],
  RequestTimeTooSkewed: [403, 'The difference between the request time and the current time is too large.'],
  ServiceUnavailable: [503, 'Service is unable to handle request.'],
  SignatureDoesNotMatch: [403, 'The request signature we calculated does not match the signature you provided.'],
  SlowDown: [503, 'Please reduce your request rate.'],
  XAmzContentSHA256Mismatch: [400, 'The provided x-amz-content-sha256 header does not match what was computed.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

/** The code of an error answer, as S3 spells it. */
export type S3ErrorCode = keyof typeof ERRORS;

/** An answer other than success: thrown by operations, turned into status, headers and XML body by the server alone. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: string;
  readonly status: number;
  /** Extra response headers, such as `content-range` on a 416. */
  readonly headers: Readonly<Record<string, string>>;
  /** Further elements of the error's body, such as `Region`. */
  readonly elements: Readonly<Record<string, string>>;

  constructor(
    code: S3ErrorCode,
    message?: string,
    headers: Readonly<Record<string, string>> = {},
    elements: Readonly<Record<string, string>> = {},
  ) {
    super(message ?? ERRORS[code][1]);
    this.elements = elements;
    this.code = code;
    this.status = ERRORS[code][0];
    this.headers = headers;
  }
}

const TELL_BUCKET = new Set<string>([
  'BucketAlreadyOwnedByYou',
  'BucketNotEmpty',
  'InvalidBucketName',
  'NoSuchBucketPolicy',
  'NoSuchCORSConfiguration',
  'NoSuchLifecycleConfiguration',
]);

/** What an error about a bucket says besides its code and message: the bucket's name. */
export const toldOf = (code: string, bucket: string): Readonly<Record<string, string>> =>
  TELL_BUCKET.has(code) ? { BucketName: bucket } : {};

/** InvalidArgument, with the argument and what it was, as S3 tells them. */
export const invalidArgument = (name: string, value: string | undefined, message: string): S3Error =>
  new S3Error(
    'InvalidArgument',
    message,
    {},
    { ArgumentName: name, ...(value === undefined ? {} : { ArgumentValue: value }) },
  );

/** An injected failure: any status and code a test asks for (see faults.ts). */
export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>> = {};
  readonly elements: Readonly<Record<string, string>> = {};

  constructor(status: number, code: string) {
    super(`Injected fault: ${code}`);
    this.status = status;
    this.code = code;
  }
}
