/** A team's store in PostgreSQL 12 and newer. The client is loaded with the first question. */
import type * as PostgresModule from "postgres";
import { isMachineError, type MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { formatBound } from "../system/time-text.ts";
import { unlessAborted, within } from "../system/waiting.ts";
import { ledgerBounds, type LedgerBounds } from "./bounds.ts";
import { KeptLease, lockLost } from "./kept-lease.ts";
import { tombstoneDays, type Change, type Commit, type Entry, type Ledger, type Lease, type Revision } from "./ledger.ts";
import { storeRefused, storeUnreachable } from "./ledger-errors.ts";
import type { TeamLogin, TeamPlace } from "./place.ts";
import { schemaStatements } from "./postgres-schema.ts";

export interface PostgresLedgerOptions {
  readonly place: Extract<TeamPlace, { engine: "postgres" }>;
  readonly login: TeamLogin;
  readonly clock: Clock;
  readonly bounds?: LedgerBounds | undefined;
}

type Client = PostgresModule.Sql;

interface CommitAnswer {
  readonly revision?: number;
  readonly conflicts?: readonly { readonly key: string; readonly value: string | null; readonly revision: number }[];
  readonly lost?: true;
}

const pauseMs = 100;

export class PostgresLedger implements Ledger {
  readonly #options: PostgresLedgerOptions;
  readonly #bounds: LedgerBounds;
  readonly #schema: string;
  #client: Promise<Client> | undefined;

  constructor(options: PostgresLedgerOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? ledgerBounds;
    this.#schema = `"${options.place.schema}"`;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const { schema } = this.#options.place;
    await this.#ask("writeMs", signal, async (sql) => {
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
    const query = `select h.revision as head, e.key, e.value, e.revision from ${this.#schema}.head h
      left join ${this.#schema}.entry e
        on starts_with(e.key, $1) and e.revision > $2::bigint and ($2::bigint > 0 or e.value is not null)
        and (e.lease is null or exists (select from ${this.#schema}.lease l where l.id = e.lease and l.ends > clock_timestamp()))`;
    const rows = await this.#ask("readMs", signal, async (sql) => await sql.unsafe(query, [prefix, since]));
    const entries = rows
      .filter(({ key }) => key !== null)
      .map(({ key, value, revision }) => ({
        key: key as string,
        value: (value as string | null) ?? undefined,
        revision: Number(revision),
      }));
    return { revision: Number(rows[0]?.["head"] ?? 0), entries };
  }

  async commit({ token, require, put, remove }: Change, signal: AbortSignal): Promise<Commit> {
    const puts = put.map(({ key, value, lease }) => ({ key, value, lease: lease?.id ?? null }));
    const query = `select ${this.#schema}.commit_change($1, $2::text::jsonb, $3::text::jsonb, $4::text::jsonb, $5) as answer`;
    const values = [token, JSON.stringify(require), JSON.stringify(puts), JSON.stringify(remove), tombstoneDays];
    const rows = await this.#ask("writeMs", signal, async (sql) => await sql.unsafe(query, values));
    const answer = rows[0]?.["answer"] as CommitAnswer;
    if (answer.lost === true) throw lockLost();
    if (answer.revision !== undefined) return { revision: answer.revision };
    return { conflicts: (answer.conflicts ?? []).map((entry) => ({ ...entry, value: entry.value ?? undefined })) };
  }

  async lease(ttlMs: number, signal: AbortSignal): Promise<Lease> {
    const { clock } = this.#options;
    const askedMs = clock.monotonicMs();
    const id = crypto.randomUUID();
    const end = "clock_timestamp() + $2 * interval '1 millisecond'";
    const grant = `insert into ${this.#schema}.lease values ($1, ${end}) on conflict (id) do nothing`;
    const extend = `update ${this.#schema}.lease set ends = ${end} where id = $1 and ends > clock_timestamp() returning 1`;
    await this.#ask("writeMs", signal, async (sql) => await sql.unsafe(grant, [id, ttlMs]));
    const renew = async (ended: AbortSignal): Promise<boolean> =>
      (await this.#ask("readMs", ended, async (sql) => await sql.unsafe(extend, [id, ttlMs]))).length > 0;
    const revoke = async (): Promise<void> => {
      const drop = `delete from ${this.#schema}.lease where id = $1`;
      await this.#ask("readMs", new AbortController().signal, async (sql) => await sql.unsafe(drop, [id]));
    };
    return new KeptLease({ id, ttlMs, clock, askedMs, renew, revoke });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.end({ timeout: 0 });
  }

  /** Again and again while nobody answers: each question may be asked twice. */
  async #ask<T>(bound: keyof LedgerBounds, signal: AbortSignal, question: (sql: Client) => Promise<T>): Promise<T> {
    const { clock, place } = this.#options;
    const ms = this.#bounds[bound];
    const at = `${place.host}:${place.port}`;
    let last = `no answer within ${formatBound(ms)}`;
    const work = async (ended: AbortSignal): Promise<T> => {
      for (;;) {
        try {
          return await unlessAborted(
            this.#connected().then(async (sql) => await question(sql)),
            ended,
          );
        } catch (error) {
          ended.throwIfAborted();
          if (isMachineError(error)) throw error;
          if (!isPassing(error)) throw refused(error, place.schema);
          last = messageOf(error);
          await clock.sleep(pauseMs, ended);
        }
      }
    };
    return await within({ ms, clock, signal }, work, () => storeUnreachable(at, last));
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

/** SQLSTATE of class 08 and 57, a socket's own errors, and those of the client that tell of a connection. */
function isPassing(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return /^(?:08|57|53300|40001|40P01|55P03)|^E[A-Z]+$|^CONNECT|^CONNECTION_/u.test(code);
}

function refused(error: unknown, schema: string): MachineError {
  const hints: Readonly<Record<string, string>> = {
    "28P01": "Look at --user and --password.",
    "28000": "Look at --user, and at the server's pg_hba.conf.",
    "3D000": "Make the database first; see docs/team.md.",
    "3F000": "Is it another name? Who makes a team's store does it with: docker-machine store init",
    "42P01": "Is it another name? Who makes a team's store does it with: docker-machine store init",
    "42501": `Its user needs rights on the schema ${schema}; see docs/team.md.`,
  };
  return storeRefused(messageOf(error), error, hints[systemCodeOf(error) ?? ""]);
}
