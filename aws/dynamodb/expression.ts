/** Builds the expressions of one DynamoDB request: every name and value becomes a placeholder, so nothing is ever quoted. */
export class Expression {
  readonly #names = new Map<string, string>();
  readonly #values = new Map<string, unknown>();
  readonly #sections = { SET: [] as string[], REMOVE: [] as string[], ADD: [] as string[], DELETE: [] as string[] };
  readonly #conditions: string[] = [];

  /** Placeholder of a document path; each argument is one step, dots in it mean nothing. */
  path(...steps: readonly string[]): string {
    return steps.map((step) => this.#name(step)).join('.');
  }

  value(value: unknown): string {
    const placeholder = `:v${this.#values.size}`;
    this.#values.set(placeholder, value);
    return placeholder;
  }

  set(path: string, expression: string): this {
    this.#sections.SET.push(`${path} = ${expression}`);
    return this;
  }

  remove(path: string): this {
    this.#sections.REMOVE.push(path);
    return this;
  }

  /** Adds members to a set attribute, or a number to a number. */
  add(path: string, value: string): this {
    this.#sections.ADD.push(`${path} ${value}`);
    return this;
  }

  /** Removes members from a set attribute. */
  delete(path: string, value: string): this {
    this.#sections.DELETE.push(`${path} ${value}`);
    return this;
  }

  /** All conditions must hold. */
  require(condition: string): this {
    this.#conditions.push(condition);
    return this;
  }

  get condition(): string | undefined {
    return this.#conditions.length === 0 ? undefined : this.#conditions.map((part) => `(${part})`).join(' AND ');
  }

  get update(): string | undefined {
    const sections = Object.entries(this.#sections).filter(([, parts]) => parts.length > 0);
    return sections.length === 0 ? undefined : sections.map(([word, parts]) => `${word} ${parts.join(', ')}`).join(' ');
  }

  /** Names and values in the form every request takes; absent when there are none, as DynamoDB wants it. */
  get placeholders(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, unknown>;
  } {
    return {
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries(
          [...this.#names].map(([name, placeholder]) => [placeholder, name]),
        ),
      }),
      ...(this.#values.size > 0 && { ExpressionAttributeValues: Object.fromEntries(this.#values) }),
    };
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const placeholder = `#n${this.#names.size}`;
    this.#names.set(name, placeholder);
    return placeholder;
  }
}
