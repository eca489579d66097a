/**
 * Which proxy an address is reached through, by the variables that programs agree on. Pure. The rules are those of Go's
 * `golang.org/x/net/http/httpproxy`, which 0.16.2's users have in their environments: lower case is read too, loopback
 * is never proxied, and NO_PROXY is a list of names (with their subdomains), `.names` (subdomains alone), addresses and
 * CIDR ranges, each with a port if wanted, or `*`.
 */
import { BlockList, isIP } from "node:net";
import { MachineError } from "../errors/machine-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for this address; undefined where it is reached directly. Throws `usage` for a variable that is no proxy's address. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const names = url.protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const name = names.find((one) => (env[one] ?? "") !== "");
  if (name === undefined || isLoopbackHost(url.hostname)) return undefined;
  if (isExempt(url, env["NO_PROXY"] || env["no_proxy"] || "")) return undefined;
  return parseProxy(name, env[name] ?? "");
}

/** Whether a host, as `URL.hostname` spells it, is this computer by its name or address. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bare(hostname);
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The header that a proxy with a name and a password in its address wants; it goes to nobody else. */
export function proxyCredentials(proxy: URL): Readonly<Record<string, string>> {
  if (proxy.username === "" && proxy.password === "") return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}

/** The value is not shown: it may hold a password. */
function parseProxy(name: string, text: string): URL {
  const address = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new MachineError("usage", `The variable ${name} is not the address of an http or https proxy`, {
    hint: "It looks like http://proxy.example.com:3128; put what needs no proxy into NO_PROXY.",
  });
}

function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname).toLowerCase().replace(/\.$/u, "");
  const port = String(portOf(url));
  return list.split(/[\s,]+/u).some((entry) => entry !== "" && exempts(entry.toLowerCase(), host, port));
}

function exempts(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInRange(entry, host);
  const [name, wantedPort] = splitPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(name) !== 0) return isInRange(`${name}/${isIP(name) === 4 ? 32 : 128}`, host);
  const domain = name.replace(/^\*(?=\.)/u, "").replace(/\.$/u, "");
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function splitPort(entry: string): readonly [string, string | undefined] {
  if (isIP(entry) !== 0) return [entry, undefined];
  const found = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d+))?$/u.exec(entry)?.groups;
  return [found?.["v6"] ?? found?.["name"] ?? entry, found?.["port"]];
}

function isInRange(range: string, host: string): boolean {
  const [network = "", bits = ""] = range.split("/");
  const [kind, hostKind] = [isIP(network), isIP(host)];
  const size = Number(bits);
  if (kind === 0 || hostKind !== kind || !/^\d+$/u.test(bits) || size > (kind === 4 ? 32 : 128)) return false;
  const family = kind === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, size, family);
  return list.check(host, family);
}

export function bareHost(url: URL): string {
  return bare(url.hostname);
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/gu, "");
}
