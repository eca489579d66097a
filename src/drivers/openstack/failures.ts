/**
 * What the refusals of OpenStack's services mean. Nova and Cinder name a status (`{"badRequest": {…}}`), Neutron its own
 * error, Keystone and Glance little more than the status, so many rows go by the words.
 */
import type { HttpAnswer } from "../../driver-kit/http-transport.ts";
import { kindOfStatus, type FailureRow, type ProviderFailure } from "../../driver-kit/provider-error.ts";

export const failures: readonly FailureRow[] = [
  {
    codes: ["Unauthorized", "unauthorized"],
    kind: "credentials",
    sentence: "Keystone does not accept the credentials of {place}",
    hint: "Check user, password, project and their domains (OS_USER_DOMAIN_NAME, OS_PROJECT_DOMAIN_NAME); an application credential may have expired.",
  },
  {
    message: /could not find application credential/iu,
    kind: "credentials",
    sentence: "Keystone does not know the application credential of {place}",
    hint: "Check its id; one that was deleted, or whose user was, is gone.",
  },
  {
    codes: ["HTTP 404", "Not Found"],
    kind: "not-found",
    sentence: "There is no Keystone of version 3 at {authUrl}",
    hint: "Correct --openstack-auth-url (OS_AUTH_URL): it is the address of Keystone, as in the openrc file of your cloud.",
  },
  {
    message: /quota exceeded|exceeds.*quota|quota.*exceeded|maximum number of .* exceeded/iu,
    kind: "quota",
    sentence: "The project's quota does not allow it",
    hint: "Remove what is not needed, choose a smaller --openstack-flavor-name, or ask the operator for more.",
  },
  {
    codes: ["OverQuota", "QuotaExceeded"],
    kind: "quota",
    sentence: "The project's quota does not allow it",
    hint: "Remove what is not needed, or ask the operator for more.",
  },
  {
    message: /no valid host|exceeded maximum number of retries|exhausted all hosts|insufficient compute resources/iu,
    kind: "capacity",
    sentence: "No host of the cloud has room for {flavor}",
    hint: "Try another --openstack-flavor-name or --openstack-availability-zone, or later.",
  },
  {
    codes: ["IpAddressGenerationFailure", "ExternalIpAddressExhausted"],
    kind: "capacity",
    sentence: "No address is free in the network",
    hint: "Try another --openstack-net-name or --openstack-floatingip-pool.",
  },
  {
    codes: ["ExternalGatewayForFloatingIPNotFound"],
    kind: "invalid",
    sentence: "No router leads from the machine's network to the pool of floating IPs",
    hint: "Choose another --openstack-net-name or --openstack-floatingip-pool, or add a router (openstack router add subnet).",
  },
  {
    message: /failed to allocate the network|no fixed ip|no more ip addresses/iu,
    kind: "capacity",
    sentence: "OpenStack could not give the instance an address",
    hint: "Try another --openstack-net-name, or later.",
  },
  {
    codes: ["overLimit"],
    kind: "rate-limit",
    sentence: "OpenStack takes no more requests for now",
    hint: "Try again later; fewer machines at one time help.",
  },
  {
    codes: ["SecurityGroupInUse"],
    kind: "busy",
    sentence: "The security group is still in use",
    hint: "Instances that others gave it to must go first.",
  },
  {
    message: /is locked/iu,
    kind: "permission",
    sentence: "The instance is locked at OpenStack",
    hint: "Whoever locked it, or the operator, unlocks it: openstack server unlock.",
  },
  {
    codes: ["conflictingRequest"],
    message: /task_state|has not been created|is being|another operation/iu,
    kind: "busy",
    sentence: "OpenStack is still at work on the instance",
    hint: "Try again in a moment.",
  },
  {
    codes: ["badRequest"],
    message: /must be available|status must be/iu,
    kind: "busy",
    sentence: "The volume is still in use",
    hint: "Try again in a moment.",
  },
  {
    message: /zero disk/iu,
    kind: "invalid",
    sentence: "The flavor {flavor} has no disk",
    hint: "Give the machine a volume for its root: --openstack-boot-from-volume.",
  },
  {
    message: /key pair .* already exists|already exists|SecurityGroupRuleExists|already has a floating IP/iu,
    kind: "exists",
    sentence: "OpenStack has it already",
  },
  {
    codes: ["conflictingRequest"],
    kind: "invalid",
    sentence: "OpenStack does not do this with the instance as it is now",
    hint: "See its state: docker-machine status, or openstack server show.",
  },
  {
    codes: ["forbidden", "Forbidden", "PolicyNotAuthorized", "HTTPForbidden"],
    kind: "permission",
    sentence: "The credentials may not do this at OpenStack",
    hint: "The user, or the application credential, needs the role member in the project.",
  },
];

interface Words {
  readonly code: string;
  readonly message: string;
}

/** Pure. Takes any text: a proxy's HTML, and Glance's. */
export function explain(answer: HttpAnswer): ProviderFailure {
  const { code, message } = wordsIn(answer.text) ?? { code: "", message: plain(answer.text) };
  return { kind: kindOfStatus(answer.status), code: code || `HTTP ${answer.status}`, message };
}

function wordsIn(text: string): Words | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const neutron = fields["NeutronError"];
  // Of extensions and policies Neutron tells a text alone.
  if (typeof neutron === "string") return { code: "", message: neutron };
  if (isFields(neutron)) return { code: textOf(neutron["type"]), message: textOf(neutron["message"]) };
  const [[name, inner] = ["", undefined]] = Object.entries(fields).filter(([, one]) => isFields(one));
  if (!isFields(inner)) return { code: textOf(fields["title"]), message: plain(textOf(fields["message"])) };
  const code = name === "error" ? textOf(inner["title"]) : name;
  return { code, message: textOf(inner["message"]) };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function plain(html: string): string {
  return html.replaceAll(/<(?:style|head)\b.*?<\/(?:style|head)>|<[^>]*>/gsu, " ").trim();
}

/** A server in the state ERROR tells why. */
export function faultFailure(
  fault: { readonly code?: number | undefined; readonly message?: string | undefined } | undefined,
): ProviderFailure {
  return { kind: "server", code: "", message: fault?.message ?? "" };
}
