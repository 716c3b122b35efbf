/** A judge: something that others made (an emulator, recorded answers, a suite), and what it says of a part of this project. */
export interface Judge {
  readonly name: string;
  /** Folders of this project whose content it judges: when one changes, what it said is of before. */
  readonly folders: readonly string[];
  /** What to put where, when it is not there; undefined when it can run. */
  missing(): string | undefined;
  run(): Promise<Judgement>;
}

/** What a judge said. */
export interface Judgement {
  /** One line each: what was looked at, and how many. */
  readonly counts: Readonly<Record<string, number>>;
  /** What is wrong and stands in no list with a reason: one line each. */
  readonly failures: readonly string[];
  /** What differs for a reason: one line each. */
  readonly accepted: readonly string[];
}
