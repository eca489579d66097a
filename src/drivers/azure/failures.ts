/**
 * What Azure's refusals mean. The resource manager wraps one error into another; the one that says most lies within
 * (https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors).
 */
import type { HttpAnswer } from "../../driver-kit/http-transport.ts";
import { kindOfStatus, ProviderError, type FailureRow, type ProviderFailure } from "../../driver-kit/provider-error.ts";

/** Something is attached to what was to go. */
const inUseCodes = [
  "NicInUse",
  "InUseSubnetCannotBeDeleted",
  "InUseNetworkSecurityGroupCannotBeDeleted",
  "PublicIPAddressCannotBeDeleted",
  "PublicIPAddressInUse",
  "InUsePublicIpAddressCannotBeDeleted",
  "InUseVirtualNetworkCannotBeDeleted",
  "CannotDeleteAvailabilitySet",
];

const otherPlace = "Choose another --azure-size, --azure-availability-zone or --azure-location, or try again later.";

export const failures: readonly FailureRow[] = [
  {
    codes: [
      "InvalidAuthenticationToken",
      "ExpiredAuthenticationToken",
      "InvalidAuthenticationTokenTenant",
      "AuthenticationFailed",
    ],
    kind: "credentials",
    sentence: "Azure does not accept the credentials",
    hint: "Run az login again, or make a new client secret.",
  },
  {
    codes: ["AADSTS7000222"],
    kind: "credentials",
    sentence: "The client secret has expired",
    hint: "Make a new one: az ad app credential reset --id CLIENT_ID.",
  },
  {
    codes: ["AADSTS7000215"],
    kind: "credentials",
    sentence: "The client secret is wrong",
    hint: "--azure-client-secret takes the secret's value, not its id.",
  },
  {
    codes: ["AADSTS700016"],
    kind: "credentials",
    sentence: "The tenant knows no application of this client id",
    hint: "Check --azure-client-id and --azure-tenant-id.",
  },
  {
    codes: ["AADSTS90002", "AADSTS900023"],
    kind: "credentials",
    sentence: "There is no such tenant",
    hint: "Check --azure-tenant-id and --azure-environment.",
  },
  {
    codes: [/^AADSTS/u],
    kind: "credentials",
    sentence: "Azure gave no token for the credentials",
    hint: "Check --azure-client-id, --azure-client-secret and --azure-tenant-id, or run az login.",
  },
  {
    codes: ["AuthorizationFailed", "LinkedAuthorizationFailed"],
    kind: "permission",
    sentence: "The credentials may not do this at Azure",
    hint: "Give them the role Contributor on the resource group, or the actions that docs/drivers/azure.md lists.",
  },
  {
    codes: ["RequestDisallowedByPolicy"],
    kind: "permission",
    sentence: "A policy of the subscription forbids it",
    hint: "Ask who keeps the policy; --azure-tags, --azure-location and --azure-no-public-ip are what policies often want.",
  },
  {
    codes: ["SubscriptionNotFound", "InvalidSubscriptionId"],
    kind: "account",
    sentence: "The credentials see no such subscription",
    hint: "Check --azure-subscription-id: az account list shows those that you have.",
  },
  {
    codes: [
      "DisabledSubscription",
      "ReadOnlyDisabledSubscription",
      "SubscriptionNotRegistered",
      "MissingSubscriptionRegistration",
    ],
    kind: "account",
    sentence: "The subscription is not open for this",
    hint: "See its state with az account show, and az provider register --namespace Microsoft.Compute.",
  },
  {
    codes: ["QuotaExceeded", "PublicIPCountLimitReached", "SubscriptionRequestsThrottled", "StandardPublicIPCountLimitReached"],
    kind: "quota",
    sentence: "A quota of the subscription is used up",
    hint: "Remove what is not needed, or ask for more under Quotas in the Azure portal.",
  },
  {
    codes: ["OperationNotAllowed", "Conflict"],
    message: /quota|exceeding approved/iu,
    kind: "quota",
    sentence: "A quota of the subscription is used up",
    hint: "Remove what is not needed, or ask for more under Quotas in the Azure portal.",
  },
  {
    codes: ["SkuNotAvailable"],
    kind: "capacity",
    sentence: "Azure has no {size} in {location} now",
    hint: otherPlace,
  },
  {
    codes: [
      ...["AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest"],
      ...["OverconstrainedZonalAllocationRequest", "SpotCapacityNotAvailable", "NoCapacityAvailable"],
    ],
    kind: "capacity",
    sentence: "Azure has no room for a {size} in {location} now",
    hint: otherPlace,
  },
  {
    codes: ["MarketplacePurchaseEligibilityFailed", "ResourcePurchaseValidationFailed", "VMMarketplaceInvalidInput"],
    kind: "invalid",
    sentence: "The image is of the marketplace, and its terms are not accepted or its plan is not given",
    hint: "Accept them with az vm image terms accept --urn URN, and give --azure-plan.",
  },
  {
    codes: ["PlatformImageNotFound", "ImageNotFound", "InvalidImageReference", "ArtifactNotFound"],
    kind: "not-found",
    sentence: "Azure has no image {image} in {location}",
    hint: "See az vm image list --all --publisher PUBLISHER --location LOCATION, and give --azure-image.",
  },
  {
    message: /cannot boot Hypervisor Generation/iu,
    kind: "invalid",
    sentence: "The size {size} does not take the generation of the image {image}",
    hint: "Choose another --azure-size or --azure-image.",
  },
  {
    codes: inUseCodes,
    kind: "busy",
    sentence: "It is still in use at Azure",
    hint: "Try again in a few minutes.",
  },
  {
    codes: [
      ...["AnotherOperationInProgress", "OperationPreempted", "RetryableError", "ReferencedResourceNotProvisioned"],
      ...["ResourceGroupBeingDeleted", "NicReservedForAnotherVm", "AttachDiskWhileBeingDetached", "Conflict"],
    ],
    kind: "busy",
    sentence: "Azure is still at work on it",
    hint: "Try again in a few minutes.",
  },
  {
    codes: ["ResourceNotFound", "ResourceGroupNotFound", "NotFound", "ParentResourceNotFound"],
    kind: "not-found",
    sentence: "Azure does not know what was asked for",
  },
  { codes: ["PreconditionFailed", "ConditionNotMet"], kind: "exists", sentence: "It exists at Azure already" },
  { codes: ["DnsRecordInUse"], kind: "exists", sentence: "The DNS label is taken", hint: "Choose another --azure-dns." },
  {
    codes: [
      "OSProvisioningTimedOut",
      "OSProvisioningInternalError",
      "OSProvisioningClientError",
      "VMAgentStatusCommunicationError",
    ],
    kind: "invalid",
    sentence: "The machine started, and did not report to Azure: its image has no working agent, or its custom data holds it up",
    hint: "Try --azure-image ubuntu, and without --azure-custom-data.",
  },
];

/** Pure. Takes any text: a proxy's HTML too. */
export function explain(answer: HttpAnswer): ProviderFailure {
  const found = failureIn(parse(answer.text));
  const kind = kindOfStatus(answer.status);
  // By its status alone: the code of such a refusal also stands for quotas.
  if (answer.status === 429) return { kind, code: "TooManyRequests", message: found?.message ?? answer.text };
  if (answer.status === 412) return { kind: "exists", code: "PreconditionFailed", message: found?.message ?? "" };
  return { kind, code: found?.code ?? "", message: found?.message ?? answer.text };
}

interface ArmError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly details?: unknown;
}

/** The error of an answer, or of an operation that failed: of the nested ones the first that the table knows, else the outermost. */
export function failureIn(body: unknown): { readonly code: string; readonly message: string } | undefined {
  const nested = errorsIn(body, 0);
  return nested.find(({ code }) => isKnown(code)) ?? nested[0];
}

const deepest = 6;

function errorsIn(value: unknown, depth: number): readonly { code: string; message: string }[] {
  if (typeof value !== "object" || value === null || depth > deepest) return [];
  const { error, code, message, details } = value as ArmError & { error?: unknown };
  const text = typeof message === "string" ? message : "";
  const own = typeof code === "string" ? [{ code, message: text }] : [];
  const inner = Array.isArray(details) ? details : [];
  // Some of its parts put the error of another into their message, as text.
  const quoted = text.startsWith("{") ? [parse(text)] : [];
  return [...own, ...[error, ...inner, ...quoted].flatMap((one) => errorsIn(one, depth + 1))];
}

function isKnown(code: string): boolean {
  return (
    code !== "Conflict" &&
    failures.some(({ codes }) => codes?.some((one) => (typeof one === "string" ? one === code : one.test(code))))
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether it cannot go because something else needs it. */
export function isInUse(error: unknown): boolean {
  return error instanceof ProviderError && inUseCodes.includes(error.failure.code);
}
