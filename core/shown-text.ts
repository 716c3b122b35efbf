/** Words of strangers as they may be shown. */

/** Control characters, C1 included, and those that turn the direction of text: a terminal would obey them. */
const ORDERS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** Characters of a message: a few lines for a person, and nothing that fills a record. */
const LONGEST = 2_000;

/**
 * What a web server, an image or a file name says, as a message that other clients print: one line of a bounded length, of which no
 * terminal takes an order.
 */
export function shownText(text: string): string {
  const line = text.replaceAll(ORDERS, '\u{fffd}');
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`.toWellFormed();
}
