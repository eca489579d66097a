/**
 * Go's fmt.Sprintf, Sprint and Sprintln over {@link GoValue}s, complaints such as `%!d(string=x)` included.
 * An undefined argument is Go's nil.
 */
import { plainVerb, type Directive } from "./format-directive.ts";
import { formatArgument } from "./format-value.ts";
import { goValue, type GoValue } from "./value.ts";

type Argument = GoValue | undefined;

const largestNumber = 1_000_000;

/** Go's `fmt.Sprint`: spaces only between operands of which neither is a string. */
export function sprint(args: readonly Argument[]): string {
  return args
    .map((arg, index) => (index > 0 && !isString(arg) && !isString(args[index - 1]) ? " " : "") + formatArgument(arg, plainVerb))
    .join("");
}

/** Go's `fmt.Sprintln`. */
export function sprintln(args: readonly Argument[]): string {
  return `${args.map((arg) => formatArgument(arg, plainVerb)).join(" ")}\n`;
}

/** Go's `fmt.Sprintf`. */
export function sprintf(format: string, args: readonly Argument[]): string {
  return new Formatter(format, args).run();
}

/** {@link sprintf} with JSON data and bigints (ints) for arguments. */
export function formatData(format: string, ...data: readonly unknown[]): string {
  return sprintf(format, data.map(goValue));
}

function isString(arg: Argument): boolean {
  return arg?.kind === "string";
}

/** A number in a directive: given, absent, or `*` with an argument that is no fitting int. */
type Measure = { readonly value: number } | "absent" | "bad";

class Formatter {
  readonly #format: string;
  readonly #args: readonly Argument[];
  #at = 0;
  #next = 0;
  #reordered = false;
  #goodIndex = true;
  #afterIndex = false;

  constructor(format: string, args: readonly Argument[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    let text = "";
    while (this.#at < this.#format.length) text += this.#take(/[^%]*/y) + (this.#take(/%/y) === "" ? "" : this.#directive());
    return text + this.#extra();
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [match = ""] = pattern.exec(this.#format) ?? [];
    this.#at += match.length;
    return match;
  }

  /** What follows a percent sign. */
  #directive(): string {
    this.#goodIndex = true;
    this.#afterIndex = false;
    const flags = this.#take(/[#0+\- ]*/y);
    this.#index();
    const width = this.#width();
    const precision = this.#precision();
    if (!this.#afterIndex) this.#index();
    const complaints = (width === "bad" ? "%!(BADWIDTH)" : "") + (precision === "bad" ? "%!(BADPREC)" : "");
    const verb = this.#take(/./suy);
    return complaints + (verb === "" ? "%!(NOVERB)" : this.#formatted(directiveOf(flags, verb, width, precision)));
  }

  #formatted(directive: Directive): string {
    if (directive.verb === "%") return "%";
    if (!this.#goodIndex) return `%!${directive.verb}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `%!${directive.verb}(MISSING)`;
    return formatArgument(this.#args[this.#next++], directive);
  }

  /** `[n]` makes the n-th argument, counted from 1, the next one. */
  #index(): void {
    if (this.#format[this.#at] !== "[") return;
    this.#reordered = true;
    const [whole, number] = /^\[([^\]]*)\]/.exec(this.#format.slice(this.#at)) ?? [];
    this.#at += whole === undefined ? 1 : whole.length;
    const index = readNumber(number ?? "");
    this.#afterIndex = index !== undefined;
    if (index !== undefined && index >= 1 && index <= this.#args.length) this.#next = index - 1;
    else this.#goodIndex = false;
  }

  #width(): Measure {
    if (this.#take(/\*/y) !== "") return this.#measureFromArgument();
    const width = this.#number();
    if (this.#afterIndex && width !== "absent") this.#goodIndex = false;
    return width;
  }

  #precision(): Measure {
    if (this.#take(/\.(?=.)/suy) === "") return "absent";
    if (this.#afterIndex) this.#goodIndex = false;
    this.#afterIndex = false;
    this.#index();
    if (this.#take(/\*/y) === "") {
      const precision = this.#number();
      return precision === "absent" ? { value: 0 } : precision;
    }
    const measure = this.#measureFromArgument();
    return typeof measure === "object" && measure.value < 0 ? "bad" : measure;
  }

  /** A literal number; one that is absurdly large spoils the rest of the format, as in Go. */
  #number(): Measure {
    const digits = this.#take(/[0-9]*/y);
    if (digits === "") return "absent";
    const value = readNumber(digits);
    if (value !== undefined) return { value };
    this.#at = this.#format.length;
    return "absent";
  }

  #measureFromArgument(): Measure {
    this.#afterIndex = false;
    if (this.#next >= this.#args.length) return "bad";
    const arg = this.#args[this.#next++];
    const isInt = arg?.kind === "int" || arg?.kind === "int64" || arg?.kind === "uint8";
    const value = isInt ? Number(arg.int) : Number.NaN;
    return Math.abs(value) <= largestNumber ? { value } : "bad";
  }

  #extra(): string {
    if (this.#reordered || this.#next >= this.#args.length) return "";
    const left = this.#args
      .slice(this.#next)
      .map((arg) => (arg === undefined ? "<nil>" : `${arg.type.name}=${formatArgument(arg, plainVerb)}`));
    return `%!(EXTRA ${left.join(", ")})`;
  }
}

function readNumber(digits: string): number | undefined {
  const value = /^[0-9]+$/.test(digits) ? Number(digits) : Number.NaN;
  return value <= largestNumber * 10 ? value : undefined;
}

function directiveOf(flags: string, verb: string, width: Measure, precision: Measure): Directive {
  const given = typeof width === "object" ? width.value : undefined;
  const minus = flags.includes("-") || (given ?? 0) < 0;
  const isV = verb === "v";
  return {
    verb,
    minus,
    zero: flags.includes("0") && !minus,
    plus: flags.includes("+") && !isV,
    sharp: flags.includes("#") && !isV,
    space: flags.includes(" "),
    goSyntax: flags.includes("#") && isV,
    fieldNames: flags.includes("+") && isV,
    width: given === undefined ? undefined : Math.abs(given),
    precision: typeof precision === "object" ? precision.value : undefined,
  };
}
