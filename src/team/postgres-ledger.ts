/** A team's store in PostgreSQL 12 and newer. The client is loaded with the first question. */
import { randomUUID } from "node:crypto";
import type * as PostgresModule from "postgres";
import { isMachineError, MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { unlessAborted } from "../system/waiting.ts";
import { Asking, type Absence, type Question } from "./asking.ts";
import { ledgerBounds, type LedgerBounds } from "./bounds.ts";
import { KeptLease, lockLost } from "./kept-lease.ts";
import { tombstoneDays, type Change, type Commit, type Entry, type Ledger, type Lease, type Revision } from "./ledger.ts";
import { storeRefused } from "./ledger-errors.ts";
import { takePages } from "./pages.ts";
import type { TeamLogin, TeamPlace } from "./place.ts";
import { schemaStatements } from "./postgres-schema.ts";

export interface PostgresLedgerOptions {
  readonly place: Extract<TeamPlace, { engine: "postgres" }>;
  readonly login: TeamLogin;
  readonly clock: Clock;
  readonly bounds?: LedgerBounds | undefined;
}

type Client = PostgresModule.Sql;

type Row = PostgresModule.Row;

/** An entry as the server tells it. */
interface Told {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
}

interface CommitAnswer {
  readonly revision?: number;
  readonly found?: readonly Told[];
  readonly conflicts?: readonly Told[];
  readonly lost?: true;
}

/** Of 64 kB each, so that an answer comes within the time that a reader has. */
const pageSize = 500;

export class PostgresLedger implements Ledger {
  readonly #options: PostgresLedgerOptions;
  readonly #asking: Asking;
  readonly #bounds: LedgerBounds;
  readonly #schema: string;
  #client: Promise<Client> | undefined;

  constructor(options: PostgresLedgerOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? ledgerBounds;
    this.#asking = new Asking(`${options.place.host}:${options.place.port}`, options.clock, this.#bounds);
    this.#schema = `"${options.place.schema}"`;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const { schema } = this.#options.place;
    await this.#ask("write", signal, async (sql) => {
      const [found] = await sql`select 1 from information_schema.routines
        where routine_schema = ${schema} and routine_name = 'commit_change'`;
      // Who joins needs no right to make tables.
      if (found !== undefined) return;
      await sql.begin(async (transaction) => {
        for (const statement of schemaStatements(schema)) await transaction.unsafe(statement);
      });
    });
  }

  async read(prefix: string, since: Revision, signal: AbortSignal): Promise<{ revision: Revision; entries: Entry[] }> {
    const kind = since === 0 ? "read" : "page";
    const { revision, taken } = await this.#pages({ prefix, since, kind }, async (page) => page, signal);
    return { revision, entries: taken.flat() };
  }

  async readPages<T>(
    prefix: string,
    take: (page: readonly Entry[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ revision: Revision; taken: T[] }> {
    return await this.#pages({ prefix, since: 0, kind: "page" }, take, signal);
  }

  /** @param kind how patiently the first one is asked for */
  async #pages<T>(
    { prefix, since, kind }: { readonly prefix: string; readonly since: Revision; readonly kind: "read" | "page" },
    take: (page: readonly Entry[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ revision: Revision; taken: T[] }> {
    const ask = async (from: string, which: "read" | "page"): Promise<readonly Row[]> =>
      await this.#run(which, this.#pageQuery(prefix, since, from), signal);
    const first = await ask(`>= ${literal(prefix)}`, kind);
    const next = (rows: readonly Row[]): Promise<readonly Row[]> | undefined =>
      rows.length < pageSize ? undefined : ask(`> ${literal(rows.at(-1)?.["key"] as string)}`, "page");
    const taken = await takePages(first, next, async (rows) => await take(rows.flatMap(entriesOf)));
    // What changes while pages are read is told by the next question.
    return { revision: Number(first[0]?.["head"] ?? 0), taken };
  }

  /** The head, and as many entries as a page has. */
  #pageQuery(prefix: string, since: Revision, from: string): string {
    const schema = this.#schema;
    return `select h.revision as head, e.key, e.value, e.revision from ${schema}.head h left join lateral (
      select key, value, revision from ${schema}.entry
        where key ${from} and starts_with(key, ${literal(prefix)}) and revision > ${since} ${since > 0 ? "" : "and value is not null"}
        and (lease is null or exists (select from ${schema}.lease l where l.id = lease and l.ends > clock_timestamp()))
        order by key limit ${pageSize}) e on true`;
  }

  async commit({ token, require, put, remove, look = [] }: Change, signal: AbortSignal): Promise<Commit> {
    const puts = put.map(({ key, value, lease }) => ({ key, value, lease: lease?.id ?? null }));
    const parts = [require, puts, remove, look].map((part) => `${literal(JSON.stringify(part))}::jsonb`);
    const query = `select ${this.#schema}.commit_change(${[literal(token), ...parts, tombstoneDays].join(", ")}) as answer`;
    const answer = (await this.#run("write", query, signal))[0]?.["answer"] as CommitAnswer;
    if (answer.lost === true) throw lockLost();
    if (answer.revision !== undefined) return { revision: answer.revision, found: (answer.found ?? []).map(entryOf) };
    return { conflicts: (answer.conflicts ?? []).map(entryOf) };
  }

  async lease(ttlMs: number, signal: AbortSignal): Promise<Lease> {
    const { clock } = this.#options;
    const askedMs = clock.monotonicMs();
    const id = randomUUID();
    const [table, its] = [`${this.#schema}.lease`, literal(id)];
    const end = `clock_timestamp() + ${ttlMs} * interval '1 millisecond'`;
    await this.#run("write", `insert into ${table} values (${its}, ${end}) on conflict (id) do nothing`, signal);
    const extend = `update ${table} set ends = ${end} where id = ${its} and ends > clock_timestamp() returning 1`;
    const renew = async (ended: AbortSignal): Promise<boolean> => (await this.#run("read", extend, ended)).length > 0;
    const revoke = async (): Promise<void> => {
      await this.#run("read", `delete from ${table} where id = ${its}`, new AbortController().signal);
    };
    return new KeptLease({ id, ttlMs, clock, askedMs, renew, revoke });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.end({ timeout: 0 });
  }

  /** One statement, in one round trip: parameters of their own would be a second one where no session may keep statements. */
  async #run(kind: Question<unknown>["kind"], statement: string, signal: AbortSignal): Promise<readonly Row[]> {
    return await this.#ask(kind, signal, async (sql) => await sql.unsafe(statement).simple());
  }

  /** Again and again while nobody answers: each question may be asked twice. */
  async #ask<T>(kind: Question<T>["kind"], signal: AbortSignal, question: (sql: Client) => Promise<T>): Promise<T> {
    const ask = async (ended: AbortSignal): Promise<T> =>
      await unlessAborted(
        this.#connected().then(async (sql) => await question(sql)),
        ended,
      );
    try {
      return await this.#asking.answer({ kind, signal, ask, absence, wayOut });
    } catch (error) {
      signal.throwIfAborted();
      throw isMachineError(error) ? error : refused(error, this.#options.place.schema);
    }
  }

  async #connected(): Promise<Client> {
    this.#client ??= this.#connect();
    return await this.#client.catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
  }

  async #connect(): Promise<Client> {
    const { place, login } = this.#options;
    const [{ default: postgres }, { rootsWith }] = await Promise.all([import("postgres"), import("../system/http-dial.ts")]);
    const tls = {
      ca: place.secure ? rootsWith(login.roots) : undefined,
      cert: login.client?.certificate,
      key: login.client?.key,
    };
    return postgres({
      host: place.host,
      port: place.port,
      database: place.database,
      // What the environment has for other programs (PGUSER, PGPASSWORD) is not meant for this one.
      user: login.user ?? "docker-machine",
      password: login.password ?? "",
      ssl: place.secure ? tls : false,
      max: 1,
      // Statements that a session keeps are another's behind a pooler.
      prepare: false,
      idle_timeout: 20,
      connect_timeout: Math.ceil(this.#bounds.readMs / 1_000),
      backoff: false,
      fetch_types: false,
      onnotice: () => {},
      connection: { application_name: "docker-machine" },
    });
  }
}

/** None in the row that tells the head alone. */
function entriesOf({ key, value, revision }: Row): Entry[] {
  if (key === null) return [];
  return [{ key: key as string, value: (value as string | null) ?? undefined, revision: Number(revision) }];
}

function entryOf({ key, value, revision }: Told): Entry {
  return { key, value: value ?? undefined, revision };
}

/** A text in a statement: nothing in it can end it. */
function literal(text: string): string {
  const tag = `$q${randomUUID().replaceAll("-", "")}$`;
  return `${tag}${text}${tag}`;
}

/** SQLSTATE of class 08 and 57, a socket's own errors, and those of the client that tell of a connection. */
function absence(error: unknown): Absence | undefined {
  if (isMachineError(error)) return undefined;
  const code = systemCodeOf(error) ?? "";
  if (/^(?:ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH)$/u.test(code)) return "nobody";
  return /^(?:08|57|53300|40001|40P01|55P03)|^E[A-Z]+$|^CONNECT|^CONNECTION_/u.test(code) ? "passing" : undefined;
}

/** A server without TLS hangs up on who insists on it. */
function wayOut(error: unknown): string | undefined {
  return /before secure TLS connection/u.test(messageOf(error))
    ? "It seems to speak no TLS, which it has to for other computers; see docs/team.md."
    : undefined;
}

function refused(error: unknown, schema: string): MachineError {
  if (/CERT|ALTNAME|SIGNATURE|ISSUER/u.test(systemCodeOf(error) ?? ""))
    return new MachineError(
      "store-unreachable",
      `The team's store cannot be asked: it does not prove who it is: ${messageOf(error)}`,
      {
        cause: error,
        hint: "Name the file of the database's own certificate authority with --ca.",
      },
    );
  const hints: Readonly<Record<string, string>> = {
    "28P01": "Look at --user and --password.",
    "28000": "Look at --user, and at the server's pg_hba.conf.",
    "25006": "That server only reads, as a standby does: the team's store is at the primary's address.",
    "3D000": "Make the database first; see docs/team.md.",
    "3F000": "Is it another name? Who makes a team's store does it with: docker-machine store init",
    "42P01": "Is it another name? Who makes a team's store does it with: docker-machine store init",
    "42501": `Its user needs rights on the schema ${schema}; see docs/team.md.`,
  };
  return storeRefused(messageOf(error), error, hints[systemCodeOf(error) ?? ""]);
}
