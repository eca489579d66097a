/**
 * The parts of AWS's SDK that the driver uses, named one by one so that the executable holds no others. Loaded with the
 * first request, by `api.ts` alone.
 */
import {
  AuthorizeSecurityGroupIngressCommand,
  CancelSpotInstanceRequestsCommand,
  CreateSecurityGroupCommand,
  CreateTagsCommand,
  DeleteKeyPairCommand,
  DeleteSecurityGroupCommand,
  DeleteVolumeCommand,
  DescribeAvailabilityZonesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
  ImportKeyPairCommand,
  ModifyInstanceAttributeCommand,
  RebootInstancesCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { GetParametersCommand, SSMClient } from "@aws-sdk/client-ssm";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const ec2Commands = {
  AuthorizeSecurityGroupIngress: AuthorizeSecurityGroupIngressCommand,
  CancelSpotInstanceRequests: CancelSpotInstanceRequestsCommand,
  CreateSecurityGroup: CreateSecurityGroupCommand,
  CreateTags: CreateTagsCommand,
  DeleteKeyPair: DeleteKeyPairCommand,
  DeleteSecurityGroup: DeleteSecurityGroupCommand,
  DeleteVolume: DeleteVolumeCommand,
  DescribeAvailabilityZones: DescribeAvailabilityZonesCommand,
  DescribeImages: DescribeImagesCommand,
  DescribeInstances: DescribeInstancesCommand,
  DescribeInstanceTypeOfferings: DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypes: DescribeInstanceTypesCommand,
  DescribeKeyPairs: DescribeKeyPairsCommand,
  DescribeSecurityGroups: DescribeSecurityGroupsCommand,
  DescribeSpotInstanceRequests: DescribeSpotInstanceRequestsCommand,
  DescribeSubnets: DescribeSubnetsCommand,
  DescribeVolumes: DescribeVolumesCommand,
  DescribeVpcs: DescribeVpcsCommand,
  ImportKeyPair: ImportKeyPairCommand,
  ModifyInstanceAttribute: ModifyInstanceAttributeCommand,
  RebootInstances: RebootInstancesCommand,
  RunInstances: RunInstancesCommand,
  StartInstances: StartInstancesCommand,
  StopInstances: StopInstancesCommand,
  TerminateInstances: TerminateInstancesCommand,
} as const;

export const sdk = { EC2Client, ec2Commands, GetParametersCommand, SSMClient, defaultProvider, NodeHttpHandler } as const;
