/** What a program said last, which is mostly why it failed; "" where it said nothing. */
export function lastLineOf(output: Buffer): string {
  return output.toString("utf8").trim().split("\n").at(-1) ?? "";
}
