/** An upload session: the bytes of an image come in parts that clients send to the staging bucket by themselves (docs/upload-sessions.md). */

export const UPLOAD_STATES = ['open', 'complete', 'aborted', 'expired'] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

/**
 * A session's record. It decides how a session ends, by one conditional write from `open`; the image follows, and the session's duty sees to it that it does.
 * While it is open its id is the image's lock.
 */
export interface UploadSession {
  /** Also the write id of its bytes. */
  readonly id: string;
  readonly imageId: string;
  /** Of who began it; null of a token without one. */
  readonly projectId: string | null;
  readonly state: UploadState;
  /** Bytes of the image. */
  readonly size: number;
  /** Bytes of every part but the last. */
  readonly partSize: number;
  /** What the bucket knows the multipart upload by. */
  readonly multipartId: string;
  /** ISO 8601 with milliseconds. */
  readonly createdAt: string;
  readonly expiresAtMs: number;
}

export const partCount = ({ size, partSize }: Pick<UploadSession, 'size' | 'partSize'>): number =>
  Math.ceil(size / partSize);

/** Bytes of a part, numbered from 1. */
export const partBytes = (session: Pick<UploadSession, 'size' | 'partSize'>, number: number): number =>
  number < partCount(session) ? session.partSize : session.size - (partCount(session) - 1) * session.partSize;
