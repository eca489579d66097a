/**
 * What DigitalOcean's refusals mean. Its codes say little more than the status does (https://docs.digitalocean.com/reference/api/,
 * "HTTP Statuses"), so most rows go by its words.
 */
import type { HttpAnswer } from "../../driver-kit/http-transport.ts";
import { kindOfStatus, type FailureRow, type ProviderFailure } from "../../driver-kit/provider-error.ts";
import { tokenPage } from "./token.ts";

/** What the token of a machine must be allowed. */
const scopes =
  "account:read, actions:read, droplet:create, droplet:read, droplet:update, droplet:delete, image:read, regions:read, " +
  "sizes:read, ssh_key:create, ssh_key:read, ssh_key:delete, tag:create, tag:read, tag:delete, vpc:read; with " +
  "--digitalocean-open-cidr also firewall:create, firewall:read, firewall:delete; with --digitalocean-project also " +
  "project:read, project:assign_resource";

export const failures: readonly FailureRow[] = [
  {
    codes: ["unauthorized", "Unauthorized"],
    kind: "credentials",
    sentence: "DigitalOcean does not accept the token",
    hint: `It is wrong, revoked or expired: make a new one at ${tokenPage}, or run doctl auth init.`,
  },
  {
    codes: ["forbidden", "Forbidden"],
    kind: "permission",
    sentence: "The token may not do this at DigitalOcean",
    hint: `It needs the scopes ${scopes}.`,
  },
  {
    message: /exceed your (?:\w+ )?limit|droplet limit/iu,
    kind: "quota",
    sentence: "The account has no room for a further droplet",
    hint: "Remove droplets, or ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase.",
  },
  {
    message: /not available in (?:this|the selected|the) region|region is not available|currently unavailable/iu,
    kind: "capacity",
    sentence: "DigitalOcean has no {size} in {region} now",
    hint: "Choose another --digitalocean-region or --digitalocean-size.",
  },
  {
    message: /pending event/iu,
    kind: "busy",
    sentence: "DigitalOcean is still at work on the droplet",
    hint: "Try again in a minute.",
  },
  { message: /already in use|already exists|duplicate/iu, kind: "exists", sentence: "DigitalOcean has it already" },
  {
    message: /invalid key identifiers/iu,
    kind: "not-found",
    sentence: "The account does not have the SSH key any more",
    hint: "Remove the machine and create it again.",
  },
  {
    message: /invalid (?:image|size|region)|(?:image|size|region)\b.* (?:invalid|does not exist)/iu,
    kind: "not-found",
    sentence: "DigitalOcean does not take the image {image}, the size {size} or the region {region}",
    hint: "See doctl compute image list --public, doctl compute size list and doctl compute region list.",
  },
];

/** Pure. Takes any text: a proxy's HTML too. */
export function explain(answer: HttpAnswer): ProviderFailure {
  const { id, message, request_id: requestId } = parse(answer.text);
  return {
    kind: kindOfStatus(answer.status),
    code: id ?? "",
    message: message ?? answer.text,
    requestId,
    retryAfterMs: answer.status === 429 ? untilReset(answer) : undefined,
  };
}

interface Refusal {
  readonly id?: string | undefined;
  readonly message?: string | undefined;
  readonly request_id?: string | undefined;
}

function parse(text: string): Refusal {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const field = (name: string): string | undefined => (typeof value?.[name] === "string" ? value[name] : undefined);
    return { id: field("id"), message: field("message"), request_id: field("request_id") };
  } catch {
    return {};
  }
}

/** Bursts are answered with Retry-After, the hour's limit with the time of its end alone: told from the answer's own date. */
function untilReset({ headers }: HttpAnswer): number | undefined {
  if (headers["retry-after"] !== undefined) return undefined;
  const resetMs = Number(headers["ratelimit-reset"] ?? Number.NaN) * 1000;
  const sentMs = Date.parse(headers["date"] ?? "");
  return Number.isNaN(resetMs - sentMs) ? undefined : Math.max(0, resetMs - sentMs);
}
