/**
 * Redaction by value: whatever was registered as a secret is replaced wherever it would be printed or written.
 * Every sink (terminal, NDJSON, debug output, crash report) passes its text through one Redactor.
 */
const shortestSecret = 4;

export class Redactor {
  readonly #secrets = new Set<string>();

  /**
   * Registers a secret. A value of several lines (a PEM key) is also hidden line by line, and every secret also in
   * its JSON-escaped form. Values under four characters are ignored: hiding them would hide ordinary words.
   */
  add(secret: string | undefined): void {
    if (secret === undefined) return;
    for (const part of [secret, JSON.stringify(secret).slice(1, -1), ...secret.split(/\r?\n/u)]) {
      if (part.trim().length >= shortestSecret && !part.startsWith("-----")) this.#secrets.add(part);
    }
  }

  redact(text: string): string {
    let result = text;
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      result = result.replaceAll(secret, "[redacted]");
    }
    return result;
  }
}
