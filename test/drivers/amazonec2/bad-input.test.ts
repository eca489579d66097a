/** What users get wrong, and what AWS refuses: one sentence each, with a way out, before anything is made. Against moto. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { isMachineError } from "../../../src/errors/machine-error.ts";
import { accountAt } from "./account.ts";
import { TestMachine } from "./machine-of-test.ts";
import { motoMissing, startMoto, type Moto } from "./moto.ts";

describe("bad input of amazonec2", { skip: motoMissing }, () => {
  let moto: Moto;
  const left = async (): Promise<readonly string[]> => await accountAt(moto).left();

  before(async () => void (moto = await startMoto()));
  beforeEach(async () => await moto.reset());
  after(async () => await moto[Symbol.asyncDispose]());

  const badInput: readonly (readonly [
    what: string,
    flags: Readonly<Record<string, FlagValue>>,
    code: ErrorCode,
    words: RegExp,
  ])[] = [
    [
      "image",
      { "amazonec2-ami": "ami-0123456789abcdef0" },
      "provider-not-found",
      /^AMI ami-0123456789abcdef0 not found on region eu-central-1/u,
    ],
    ["word", { "amazonec2-ami": "windows" }, "provider-not-found", /no system that is known/u],
    ["size", { "amazonec2-instance-type": "t3.colossal" }, "provider-not-found", /no instance type t3\.colossal/u],
    [
      "architecture",
      { "amazonec2-ami": "ami-0b000000000002604" },
      "provider-unsupported",
      /is for arm64, and t3\.micro is x86_64/u,
    ],
    [
      "subnet",
      { "amazonec2-subnet-id": "subnet-0123456789abcdef0" },
      "provider-not-found",
      /desired subnet could not be located/u,
    ],
    ["VPC", { "amazonec2-vpc-id": "vpc-0123456789abcdef0" }, "provider-not-found", /vpc-0123456789abcdef0/u],
    ["zone", { "amazonec2-zone": "x" }, "provider-unsupported", /not offered in eu-central-1x/u],
    ["key pair", { "amazonec2-keypair-name": "nosuch" }, "provider-not-found", /no keypair with the name nosuch/u],
    ["group", { "amazonec2-security-group": ["sg-0123456789abcdef0"] }, "provider-not-found", /security group/u],
    ["root size", { "amazonec2-root-size": 8 }, "driver-options", /needs a root disk of 15 GB/u],
    ["user data file", { "amazonec2-userdata": "/nonexistent" }, "driver-options", /unable to read --amazonec2-userdata/u],
    ["IPv6 subnet", { "amazonec2-ipv6-address-count": 1 }, "provider-unsupported", /no IPv6/u],
  ];
  for (const [what, flags, code, words] of badInput)
    test(`bad input: ${what}: one sentence before anything is made`, async () => {
      await using machine = await TestMachine.open(moto, "bad");
      await assert.rejects(machine.prepare(flags), (error) => {
        assert.ok(isMachineError(error, code), String(error));
        assert.match(error.message, words);
        assert.ok(error.hint !== undefined && error.hint !== "");
        return true;
      });
      assert.deepEqual(await left(), []);
    });

  test("bad input: user data that is too large", async () => {
    await using machine = await TestMachine.open(moto, "large");
    const file = path.join(machine.machineDir, "big");
    await writeFile(file, `#!/bin/sh\n# ${Buffer.from(crypto.getRandomValues(new Uint8Array(40_000))).toString("hex")}\n`);
    await assert.rejects(machine.prepare({ "amazonec2-userdata": file }), (error) => isMachineError(error, "driver-options"));
  });

  for (const [what, fault, code] of [
    [
      "permission",
      {
        action: "RunInstances",
        dry: true,
        error: { status: 403, code: "UnauthorizedOperation", message: "You are not authorized" },
      },
      "provider-permission",
    ],
    [
      "credentials",
      {
        action: "DescribeAvailabilityZones",
        error: { status: 401, code: "AuthFailure", message: "AWS was not able to validate the provided access credentials" },
      },
      "provider-credentials",
    ],
    [
      "fresh credentials",
      {
        action: "DescribeAvailabilityZones",
        error: { status: 400, code: "ExpiredToken", message: "The security token included in the request is expired" },
      },
      "provider-credentials",
    ],
    [
      "an account",
      {
        action: "DescribeAvailabilityZones",
        error: { status: 401, code: "OptInRequired", message: "You are not subscribed to this service" },
      },
      "provider-account",
    ],
  ] as const)
    test(`bad input: without ${what} nothing is made`, async () => {
      await using machine = await TestMachine.open(moto, "denied");
      await moto.fail({ ...fault, times: 9 });
      await assert.rejects(machine.prepare({ "amazonec2-retries": -1 }), (error) => isMachineError(error, code));
      assert.deepEqual(await left(), []);
    });

  test("bad input: no credentials anywhere: the places that were looked at are named", async () => {
    const bare = { HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true" };
    const before = Object.fromEntries(Object.keys(bare).map((name) => [name, process.env[name]]));
    Object.assign(process.env, bare);
    try {
      await using machine = await TestMachine.open(moto, "poor", { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" });
      await assert.rejects(machine.prepare(), (error) => {
        assert.ok(isMachineError(error, "provider-credentials"), String(error));
        assert.match(
          error.message,
          /looked at: --amazonec2-access-key .*AWS_ACCESS_KEY_ID.*default profile.*role of a container/u,
        );
        return true;
      });
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test("bad input: an endpoint where nobody answers", async () => {
    await using machine = await TestMachine.open(moto, "alone");
    const flags = { "amazonec2-endpoint": "http://127.0.0.1:1", "amazonec2-retries": -1 };
    await assert.rejects(machine.prepare(flags), (error) => isMachineError(error, "provider-unreachable"));
  });
});
