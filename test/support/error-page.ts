import { expect } from 'vitest';

/** What the clients show of an error page: the text without tags, line ends gone. */
export const shownOf = (html: string): string =>
  html
    .slice(html.indexOf('<h1>'))
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** It reads as a sentence behind its status, and says nothing of the program. */
export function expectSentence(status: number, sentence: string): void {
  expect(sentence).toMatch(new RegExp(`^${status} [A-Z][A-Za-z -]+\\S`));
  expect(sentence).not.toMatch(/undefined|\[object|NaN|ZodError|Error:| at \w+ \(/);
  expect(sentence.length).toBeLessThan(1100);
}
