/** Plain values of a fleet's file: text, numbers, times, and what stands in the environment. */
import { readTimeText } from "../../system/time-text.ts";
import { quoteHintOf, type Written } from "../../system/yaml-text.ts";
import { invalid } from "./complaint.ts";

export function wholeNumber(written: Written, what: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = written.kind === "scalar" ? written.value : undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw invalid(written.place, `${what} is a whole number ${range}`);
}

/** `90s`, `10m`, `8h`, in milliseconds. A bare number says no unit. */
export function time(written: Written, what: string): number {
  const value = written.kind === "scalar" ? written.value : undefined;
  const ms = typeof value === "string" && !/^\d+$/u.test(value) ? readTimeText(value) : undefined;
  if (ms !== undefined) return ms;
  throw invalid(written.place, `${what} is a time such as 90s, 10m or 8h`);
}

export function text(written: Written, what: string): string {
  if (written.kind === "scalar" && typeof written.value === "string") return written.value;
  throw invalid(written.place, `${what} is a text`, quoteHintOf(written));
}

export function choice<Choice extends string>(written: Written, what: string, choices: readonly Choice[]): Choice {
  const found = choices.find((each) => written.kind === "scalar" && written.value === each);
  if (found !== undefined) return found;
  throw invalid(written.place, `${what} is ${choices.join(" or ")}`);
}

export function truth(written: Written, what: string): boolean {
  if (written.kind === "scalar" && typeof written.value === "boolean") return written.value;
  throw invalid(written.place, `${what} is true or false`);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The value with `${NAME}` replaced by what the environment has; `$${NAME}` stands for the text itself. */
export function withEnvironment(written: Written, env: Environment): Written {
  if (written.kind === "list") return { ...written, items: written.items.map((item) => withEnvironment(item, env)) };
  if (written.kind === "map" || typeof written.value !== "string" || !written.value.includes("${")) return written;
  const value = written.value.replaceAll(/\$?\$\{(\w+)\}/gu, (whole, name: string) => {
    if (whole.startsWith("$$")) return whole.slice(1);
    const found = env[name];
    if (found !== undefined) return found;
    throw invalid(written.place, `the environment has no ${name}`, `Set it, or write $\${${name}} for the text itself.`);
  });
  return { ...written, value };
}
