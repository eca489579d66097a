/** What refusals of Compute Engine mean: of requests, and of operations that were accepted and failed later. */
import type { HttpAnswer } from "../../driver-kit/http-transport.ts";
import { kindOfStatus, type FailureRow, type ProviderFailure } from "../../driver-kit/provider-error.ts";

const roles =
  "roles/compute.instanceAdmin.v1, for the firewall rule roles/compute.securityAdmin (or give --google-skip-firewall-create), and for a service account roles/iam.serviceAccountUser (or --google-service-account none)";

export const failures: readonly FailureRow[] = [
  {
    codes: ["authError"],
    kind: "credentials",
    sentence: "Google does not accept the credentials",
    hint: "Run gcloud auth application-default login, or give others by GOOGLE_APPLICATION_CREDENTIALS.",
  },
  {
    codes: ["accessNotConfigured", "SERVICE_DISABLED", "BILLING_DISABLED"],
    kind: "account",
    sentence: "The project {project} has not enabled Compute Engine, or its billing",
    hint: "Follow the link in Google's answer, or run gcloud services enable compute.googleapis.com; then wait some minutes.",
  },
  {
    message: /billing.*(?:disabled|not enabled)|has not been used in project/iu,
    kind: "account",
    sentence: "The project {project} has not enabled Compute Engine, or its billing",
    hint: "Follow the link in Google's answer, or run gcloud services enable compute.googleapis.com; then wait some minutes.",
  },
  {
    codes: ["rateLimitExceeded", "userRateLimitExceeded"],
    kind: "rate-limit",
    sentence: "Google takes no more requests for now",
    hint: "Try again later; fewer machines at one time help.",
  },
  {
    codes: ["QUOTA_EXCEEDED", "quotaExceeded", "LIMIT_EXCEEDED"],
    kind: "quota",
    sentence: "A quota of the project {project} is used up",
    hint: "Ask for more at https://console.cloud.google.com/iam-admin/quotas, or choose another --google-zone.",
  },
  {
    codes: [/^(?:ZONE_|REGION_)?RESOURCE_POOL_EXHAUSTED/u, "GPU_STOCKOUT", "STOCKOUT", "insufficientCapacity"],
    kind: "capacity",
    sentence: "Google has no room for a {type} in {zone} now",
    hint: "Choose another --google-zone or --google-machine-type, or try later.",
  },
  {
    message: /preempted during/iu,
    kind: "capacity",
    sentence: "Google took the preemptible instance back while it was made",
    hint: "Choose another --google-zone, leave --google-preemptible out, or try later.",
  },
  {
    message: /constraint constraints\//iu,
    kind: "permission",
    sentence: "A policy of the organisation forbids this",
    hint: "Ask who administers the organisation about the constraint that Google names; --google-use-internal-ip-only spares an external address.",
  },
  {
    codes: ["SERVICE_ACCOUNT_ACCESS_DENIED"],
    kind: "permission",
    sentence: "The credentials may not use the machine's service account",
    hint: "Grant roles/iam.serviceAccountUser on it, or give --google-service-account none.",
  },
  {
    codes: ["forbidden", "IAM_PERMISSION_DENIED"],
    kind: "permission",
    sentence: "The credentials may not do this in the project {project}",
    hint: `They need ${roles}.`,
  },
  {
    message: /deletion ?protection|resource cannot be deleted/iu,
    kind: "unsupported",
    sentence: "The instance is protected against deletion",
    hint: "Switch that off first: gcloud compute instances update NAME --no-deletion-protection.",
  },
  {
    codes: [
      "resourceNotReady",
      "resourceInUseByAnotherResource",
      "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
      "RESOURCE_OPERATION_RATE_EXCEEDED",
      "RESOURCE_NOT_READY",
    ],
    kind: "busy",
    sentence: "Google is still at work on it",
    hint: "Try again in a minute.",
  },
  { codes: ["alreadyExists", "RESOURCE_ALREADY_EXISTS"], kind: "exists", sentence: "It exists in the project {project} already" },
  { codes: ["notFound", "RESOURCE_NOT_FOUND"], kind: "not-found", sentence: "Google does not know what was asked for" },
  {
    codes: ["backendError", "internalError", "INTERNAL_ERROR"],
    kind: "server",
    sentence: "Google failed",
    hint: "Try again later.",
  },
];

interface Refusal {
  readonly message?: unknown;
  readonly errors?: readonly { readonly reason?: unknown }[] | undefined;
  readonly details?: readonly { readonly reason?: unknown }[] | undefined;
}

/** Pure. Takes any text: a proxy's HTML too. */
export function explain(answer: HttpAnswer): ProviderFailure {
  const error = parse(answer.text);
  const reasons = [...(error?.details ?? []), ...(error?.errors ?? [])].map(({ reason }) => reason);
  const code = reasons.find((reason): reason is string => typeof reason === "string") ?? "";
  const message = typeof error?.message === "string" ? error.message : answer.text;
  // A fingerprint that was overtaken; the same status and reason stand for policies.
  const isOvertaken = answer.status === 412 && !/constraint/iu.test(message);
  return { kind: isOvertaken ? "busy" : kindOfStatus(answer.status), code, message };
}

function parse(text: string): Refusal | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "object" && error !== null ? error : undefined;
  } catch {
    return undefined;
  }
}
