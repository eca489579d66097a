/** What is typed while `ls --watch` goes on: `q` ends it; `/` begins a filter, which is then what is typed. Pure. */
import { rowText, type PeopleRow } from "./people-table.ts";

const escape = "\u001B";
const enter: ReadonlySet<string> = new Set(["\r", "\n"]);
const backspace: ReadonlySet<string> = new Set(["\u007F", "\b"]);
const eraseLine = "\u0015";

export class ListKeys {
  #text = "";
  #isTyping = false;

  /** Whether the list is over by this key. */
  press(key: string): boolean {
    if (key === escape) {
      this.#text = "";
      this.#isTyping = false;
    } else if (this.#isTyping) this.#type(key);
    else if (key === "/") this.#isTyping = true;
    return key === "q" && !this.#isTyping;
  }

  #type(key: string): void {
    if (enter.has(key)) this.#isTyping = false;
    else if (backspace.has(key)) this.#text = Array.from(this.#text).slice(0, -1).join("");
    else if (key === eraseLine) this.#text = "";
    else if (!/^\p{C}/u.test(key)) this.#text += key;
  }

  /** Whether what was typed stands in the row, in whatever case. */
  passes(row: PeopleRow): boolean {
    return rowText(row).toLowerCase().includes(this.#text.toLowerCase());
  }

  /** Says what can be typed, or what was. */
  get line(): string {
    if (this.#isTyping) return `Filter: ${this.#text}_   (Enter keeps it, Esc clears it)`;
    return this.#text === "" ? "q ends, / filters" : `Filter: ${this.#text}   (/ changes it, Esc clears it, q ends)`;
  }
}
