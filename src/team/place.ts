/** Where a team's store is: the address that people give, taken apart. Holds no secret. */
import { MachineError } from "../errors/machine-error.ts";
import { isLoopbackHost } from "../system/proxy-choice.ts";

export type TeamPlace =
  | {
      readonly engine: "etcd";
      /** `https://etcd-1:2379`, each of a member. */
      readonly endpoints: readonly string[];
      /** What all keys begin with. */
      readonly prefix: string;
    }
  | {
      readonly engine: "postgres";
      readonly host: string;
      readonly port: number;
      readonly database: string;
      /** The tables are in this schema. */
      readonly schema: string;
      /** To this computer alone it may be spoken in the clear. */
      readonly secure: boolean;
    };

const forms =
  "A team's store is at etcd://HOST:2379[,HOST:2379]/NAME or postgres://HOST/DATABASE/NAME; for a database of this computer without TLS, etcd+http://localhost:2379/NAME.";

/** What the team's store is called at its address, which was taken before: the last of its names. */
export function storeNameIn(url: string): string {
  return /([a-z0-9_-]+)\/*$/u.exec(url)?.[1] ?? "team";
}

/** Throws `usage` for what is no place of a team's store, with the reason. */
export function parsePlace(url: string): TeamPlace {
  const [, scheme = "", authority = "", path = ""] = /^([a-z0-9+]+):\/\/([^/]*)\/?(.*)$/u.exec(url) ?? [];
  if (scheme === "s3")
    throw wrong(url, "storage of objects cannot hold locks: many servers that speak S3 ignore conditions on writes");
  if (!["etcd", "etcd+http", "postgres"].includes(scheme)) throw wrong(url, "it is of no form that this version knows");
  if (authority.includes("@"))
    throw wrong(url, "it names a user; that, and where the password is, is said with --user and --password");
  const names = path.replace(/\/+$/u, "").split("/");
  if (path === "") throw wrong(url, "it has no name behind the host");
  if (!names.every((name) => /^[a-z0-9_-]{1,60}$/u.test(name)))
    throw wrong(url, "names behind the host are of a-z, 0-9, - and _");
  if ((scheme === "etcd" || scheme === "etcd+http") && names.length === 1)
    return etcdPlace(url, scheme, authority, names[0] ?? "");
  if (scheme === "postgres" && names.length === 2) return postgresPlace(url, authority, names[0] ?? "", names[1] ?? "");
  throw wrong(
    url,
    scheme === "postgres" ? "behind the host are the database and the store's name" : "behind the hosts is one name, the store's",
  );
}

function etcdPlace(url: string, scheme: string, authority: string, name: string): TeamPlace {
  const protocol = scheme === "etcd" ? "https" : "http";
  const endpoints = authority.split(",").map((host) => {
    const found = `${protocol}://${/:\d+$/u.test(host) ? host : `${host}:2379`}`;
    if (host === "" || !URL.canParse(found)) throw wrong(url, `${JSON.stringify(host)} is no host`);
    if (protocol === "http" && !isLoopbackHost(new URL(found).hostname))
      throw wrong(url, "without TLS only a database of this computer is spoken to");
    return found;
  });
  return { engine: "etcd", endpoints, prefix: `docker-machine/${name}/v1/` };
}

function postgresPlace(url: string, authority: string, database: string, schema: string): TeamPlace {
  const parsed = URL.canParse(`http://${authority}`) ? new URL(`http://${authority}`) : undefined;
  if (authority === "" || parsed === undefined) throw wrong(url, `${JSON.stringify(authority)} is no host`);
  const host = parsed.hostname.replace(/^\[(.*)\]$/u, "$1");
  const port = parsed.port === "" ? (authority.endsWith(":80") ? 80 : 5432) : Number(parsed.port);
  return { engine: "postgres", host, port, database, schema, secure: !isLoopbackHost(parsed.hostname) };
}

function wrong(url: string, why: string): MachineError {
  return new MachineError("usage", `${url.replace(/\/\/[^/@]*@/u, "//…@")} cannot hold a team's store: ${why}`, { hint: forms });
}

/** How the database is logged in to. PEM texts. */
export interface TeamLogin {
  readonly user?: string | undefined;
  /** Asked for when it is needed. Throws `secret-unavailable`. */
  readonly password?: (() => Promise<string>) | undefined;
  /** Roots that are believed besides this computer's. */
  readonly roots?: string | undefined;
  /** What is shown of oneself. */
  readonly client?: { readonly certificate: string; readonly key: string } | undefined;
}
