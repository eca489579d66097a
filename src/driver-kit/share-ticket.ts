/** What the owner of a machine gives to a guest: where it is, which host keys it has, until when. Nothing in it is secret. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";

/** What a guest's key opens: the engine alone, or a shell. Either is root on the machine. */
export type ShareMode = "engine" | "shell";

export interface ShareTicket {
  readonly machine: string;
  readonly address: string;
  readonly port: number;
  /** The guests' user on the machine. */
  readonly user: string;
  /** `TYPE BASE64` lines: the machine may present no other key. */
  readonly hostKeys: readonly string[];
  /** `SHA256:…` of the guest's key. */
  readonly guestKey: string;
  readonly mode: ShareMode;
  /** ISO 8601, UTC. */
  readonly until: string;
}

/** What a guest asks of the owner's SSH server: an empty line, then the engine's streams. */
export const guestCommand = "docker-machine-engine";

const prefix = "docker-machine-ticket-1.";

/** One word, which passes through chats and mails. */
export function formatTicket(ticket: ShareTicket): string {
  return prefix + Buffer.from(JSON.stringify(ticket)).toString("base64url");
}

/** Throws `usage` for what is no ticket, or a ticket of which a part was lost. */
export function parseTicket(text: string): ShareTicket {
  // Mails break long words.
  const word = text.replaceAll(/\s+/gu, "");
  const ticket = word.startsWith(prefix) ? parse(word.slice(prefix.length)) : undefined;
  if (ticket !== undefined && isTicket(ticket)) return ticket;
  throw noTicket();
}

export function noTicket(): MachineError {
  return new MachineError("usage", "This is no ticket for a shared machine, or a part of it is missing", {
    hint: "A ticket is the whole word that docker-machine share NAME printed for the owner; it begins with docker-machine-ticket.",
  });
}

function parse(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function isTicket(value: unknown): value is ShareTicket {
  if (typeof value !== "object" || value === null) return false;
  const { port, hostKeys, mode, until, ...texts } = value as Readonly<Record<string, unknown>>;
  const isWord = (key: string): boolean => typeof texts[key] === "string" && /^[\w:[][\w.:+/@%=-]*$/u.test(texts[key]);
  return (
    ["machine", "address", "user", "guestKey"].every(isWord) &&
    Number.isInteger(port) &&
    (mode === "engine" || mode === "shell") &&
    typeof until === "string" &&
    !Number.isNaN(Date.parse(until)) &&
    Array.isArray(hostKeys) &&
    hostKeys.length > 0 &&
    hostKeys.every((line) => typeof line === "string" && /^[a-z][a-z0-9@.-]+ [A-Za-z0-9+/]+=*$/u.test(line))
  );
}

/** Private half of the pair by which this user is a guest on machines of others; the public one lies beside it. */
export function guestKeyFile(storePath: string): string {
  return path.join(storePath, "share", "id_ed25519");
}
