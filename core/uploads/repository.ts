import type { UploadSession, UploadState } from './session.ts';

/** Sessions of images, by image; a record goes by itself a week after its session would have expired. */
export interface UploadSessionRepository {
  create(session: UploadSession): Promise<void>;
  /** Strongly consistent; undefined when there is none. */
  get(imageId: string, id: string): Promise<UploadSession | undefined>;
  /** Of one image, the newest first; strongly consistent. */
  list(imageId: string): Promise<readonly UploadSession[]>;
  /** An open session lives on until then. Answers whether it was open. */
  postpone(imageId: string, id: string, expiresAtMs: number): Promise<boolean>;
  /** Ends an open session. Answers it as it is then: with another state when somebody else had ended it; undefined when there is none. */
  end(imageId: string, id: string, state: Exclude<UploadState, 'open'>): Promise<UploadSession | undefined>;
}

/** Of a verb on upload sessions. */
export interface WithUploadSessions {
  readonly uploadSessions: UploadSessionRepository;
}
