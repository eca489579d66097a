/** What EC2's error codes mean (https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html), and the SDK's own. */
import { kindOfStatus, type FailureRow, type ProviderFailure } from "../../driver-kit/provider-error.ts";

export const wayToCredentials =
  "Run aws configure or aws sso login, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --amazonec2-profile.";

const policy =
  "The policy that is needed is in docs/drivers/amazonec2.md; aws sts decode-authorization-message explains a refusal.";

export const failures: readonly FailureRow[] = [
  {
    codes: ["ENOTFOUND"],
    kind: "network",
    sentence: "AWS has no address in {region}: either there is no such region, or this computer finds no addresses",
    hint: "See aws ec2 describe-regions, and give another --amazonec2-region; or check the network and the proxy settings.",
  },
  {
    codes: ["AuthFailure.ServiceLinkedRoleCreationNotPermitted"],
    kind: "permission",
    sentence: "The account has no role for spot instances yet, and the credentials may not make it",
    hint: "An administrator makes it once: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
  },
  {
    codes: ["RequestExpired"],
    kind: "credentials",
    sentence: "AWS takes the request for an old one",
    hint: "Set this computer's clock, or get new session credentials.",
  },
  {
    codes: ["ExpiredToken", "ExpiredTokenException"],
    kind: "credentials",
    sentence: "The credentials for AWS have expired",
    hint: "Get new ones: aws sso login, or a new session token.",
  },
  {
    codes: [
      ...["AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"],
      ...["MissingAuthenticationToken", "IncompleteSignature", "InvalidAccessKeyId"],
    ],
    kind: "credentials",
    sentence: "AWS does not accept the credentials in {region}",
    hint: `${wayToCredentials} A region that the account has not enabled answers the same.`,
  },
  {
    codes: ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation"],
    kind: "permission",
    sentence: "The credentials may not do {call}",
    hint: policy,
  },
  {
    codes: ["OptInRequired", "PendingVerification", "Blocked"],
    kind: "account",
    sentence: "AWS has not activated the account for EC2 in {region}",
    hint: "See the account's state and its enabled regions in the AWS console.",
  },
  {
    codes: [
      ...["VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded", "VolumeLimitExceeded"],
      ...["AddressLimitExceeded", "SecurityGroupLimitExceeded", "RulesPerSecurityGroupLimitExceeded", "TagLimitExceeded"],
      "InsufficientFreeAddressesInSubnet",
    ],
    kind: "quota",
    sentence: "The account's quota in {region} does not allow it",
    hint: "Ask for more under Service Quotas, take a smaller --amazonec2-instance-type, or another --amazonec2-region.",
  },
  {
    codes: ["SpotMaxPriceTooLow"],
    kind: "capacity",
    sentence: "The price of {size} as a spot instance is above --amazonec2-spot-price",
    hint: "Leave --amazonec2-spot-price out: then the price on demand is the bound.",
  },
  {
    codes: ["InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity", "UnfulfillableCapacity"],
    kind: "capacity",
    sentence: "AWS has no {size} in {zone} now",
    hint: "Try another --amazonec2-zone or --amazonec2-instance-type, or later.",
  },
  {
    codes: ["UnsupportedOperation"],
    message: /one-time spot/iu,
    kind: "unsupported",
    sentence: "A one-time spot instance cannot be stopped",
    hint: "Create such machines with --amazonec2-spot-interruption stop, or remove this one with docker-machine rm.",
  },
  {
    codes: ["Unsupported", "UnsupportedOperation", "InvalidParameterCombination"],
    kind: "unsupported",
    sentence: "AWS does not do this with {size} in {zone}",
    hint: "Try another --amazonec2-zone or --amazonec2-instance-type.",
  },
  {
    codes: [/^InvalidAMIID\./u],
    kind: "not-found",
    sentence: "AMI {image} not found on region {region}",
    hint: "Give a system (ubuntu, debian-13, al2023) or an id of this region with --amazonec2-ami.",
  },
  {
    codes: ["InvalidInstanceType"],
    kind: "not-found",
    sentence: "AWS has no instance type {size} in {region}",
    hint: "See aws ec2 describe-instance-types; give another with --amazonec2-instance-type.",
  },
  {
    codes: ["InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound"],
    kind: "not-found",
    sentence:
      "The desired subnet could not be located in this region. Is '--amazonec2-subnet-id' or AWS_SUBNET_ID configured correctly?",
    hint: "See aws ec2 describe-subnets.",
  },
  {
    codes: ["InvalidVpcID.NotFound", "InvalidVpcId.NotFound"],
    kind: "not-found",
    sentence: "The region {region} has no such VPC",
    hint: "See aws ec2 describe-vpcs; give another with --amazonec2-vpc-id, or leave that out.",
  },
  {
    codes: [/^InvalidKeyPair\.NotFound$/u],
    kind: "not-found",
    sentence: "The key pair is not in {region}",
    hint: "See aws ec2 describe-key-pairs; give another with --amazonec2-keypair-name, or leave that out.",
  },
  {
    codes: [/^InvalidGroup(?:Id)?\.(?:NotFound|Malformed)$/u],
    kind: "not-found",
    sentence: "The security group is not in {region}",
    hint: "See aws ec2 describe-security-groups; give another with --amazonec2-security-group.",
  },
  { codes: [/^Invalid\w+\.NotFound$/iu, /^InvalidInstanceID\.Malformed$/u], kind: "not-found", sentence: "AWS does not know it" },
  {
    message: /IAM Instance Profile/iu,
    kind: "not-found",
    sentence: "AWS has no instance profile {profile}",
    hint: "See aws iam list-instance-profiles; give another with --amazonec2-iam-instance-profile.",
  },
  {
    codes: ["RequestLimitExceeded", "EC2ThrottledException", "RequestThrottled", "TooManyRequestsException", /^Throttling/u],
    kind: "rate-limit",
    sentence: "AWS takes no more requests for now",
    hint: "Create fewer machines at one time, or raise --amazonec2-retries.",
  },
  {
    codes: ["InvalidKeyPair.Duplicate", "InvalidGroup.Duplicate", "InvalidPermission.Duplicate"],
    kind: "exists",
    sentence: "It exists at AWS already",
  },
  {
    codes: [
      ...["IncorrectInstanceState", "IncorrectSpotRequestState", "DependencyViolation", "InvalidGroup.InUse"],
      ...["ResourceCountExceeded", "VolumeInUse", "IncorrectState"],
    ],
    kind: "busy",
    sentence: "AWS is still at work on it",
  },
  {
    codes: ["IdempotentInstanceTerminated"],
    kind: "not-found",
    sentence: "The instance of this create was made, and has been terminated since",
    hint: "Remove the machine and create it anew.",
  },
  {
    codes: ["IdempotentParameterMismatch"],
    kind: "invalid",
    sentence: "AWS has an earlier request of this create with other values",
    hint: "Remove the machine and create it anew.",
  },
  {
    codes: ["InvalidBlockDeviceMapping"],
    kind: "invalid",
    sentence: "AWS does not take the root disk",
    hint: "Check --amazonec2-root-size, --amazonec2-volume-type and --amazonec2-device-name.",
  },
  { codes: ["InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"], kind: "server", sentence: "AWS failed" },
];

/** What an error of the SDK says. Takes anything. */
export function failureOf(error: unknown): ProviderFailure {
  const { name = "", message = "", code, Code, $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  const kind = status === undefined ? "network" : kindOfStatus(status);
  const text = message === "" ? (code ?? name) : message;
  return { kind, code: Code ?? (status === undefined ? (code ?? name) : name), message: text, requestId: $metadata?.requestId };
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  /** Node's, of a connection. */
  readonly code?: string;
  /** EC2's. */
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** EC2's code in a failure that was explained; "" for anything else. */
export function codeOf(error: unknown): string {
  const failure = (error as { readonly failure?: ProviderFailure } | undefined)?.failure;
  return failure?.code ?? "";
}
