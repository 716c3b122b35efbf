/** Control characters, C1 included, and those that turn the direction of text: a terminal would obey them. */
const ORDERS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What strangers wrote (names in images, answers of servers, file names) as one line that a terminal only shows. */
export function printable(text: string): string {
  return text.replaceAll(ORDERS, '\u{fffd}');
}

/** The same as JSON for programs: every such character is escaped, and reads back as it was. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(ORDERS, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
