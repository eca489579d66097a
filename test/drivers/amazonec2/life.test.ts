/** What is special about amazonec2, against moto: what is asked for, what is found again, what is told, what is left. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, beforeEach, describe, test } from "node:test";
import { DescribeSecurityGroupsCommand, ImportKeyPairCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { isMachineError } from "../../../src/errors/machine-error.ts";
import { accountAt, type Account } from "./account.ts";
import { TestMachine, testSecret } from "./machine-of-test.ts";
import { motoMissing, startMoto, type Fault, type Moto } from "./moto.ts";

describe("amazonec2 against moto", { skip: motoMissing }, () => {
  let moto: Moto;
  let account: Account;

  before(async () => {
    moto = await startMoto();
    account = accountAt(moto);
  });
  beforeEach(async () => await moto.reset());
  after(async () => await moto[Symbol.asyncDispose]());

  const lastRun = async () =>
    (await moto.requests()).findLast(({ action, params }) => action === "RunInstances" && params["DryRun"] === undefined)
      ?.params ?? {};
  const removed = async (machine: TestMachine): Promise<void> => {
    await machine.run(async (driver, signal) => await driver.remove(signal));
    assert.deepEqual(await account.left(), []);
    assert.deepEqual(await machine.run(async (driver, signal) => await driver.findResources?.(signal)), []);
  };

  test("what was looked up is in the record, and the request bears the create's id everywhere", async () => {
    await using machine = await TestMachine.open(moto, "web");
    await machine.prepare({ "amazonec2-tags": "team,red", "amazonec2-volume-iops": 4000, "amazonec2-volume-throughput": 200 });
    const { AMI, DeviceName, SSHUser, SubnetId, VpcId, Zone } = machine.config;
    assert.deepEqual(
      { AMI, DeviceName, SSHUser, Zone },
      { AMI: "ami-0a000000000002604", DeviceName: "/dev/sda1", SSHUser: "ubuntu", Zone: "eu-central-1a" },
    );
    assert.match(String(SubnetId), /^subnet-/u);
    assert.match(String(VpcId), /^vpc-/u);
    await machine.create();
    const sent = await lastRun();
    const expected = {
      ClientToken: "test-web",
      ImageId: "ami-0a000000000002604",
      InstanceType: "t3.micro",
      "MetadataOptions.HttpTokens": "required",
      "MetadataOptions.HttpPutResponseHopLimit": "2",
      "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
      "BlockDeviceMapping.1.Ebs.Iops": "4000",
      "BlockDeviceMapping.1.Ebs.Throughput": "200",
      "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
      "NetworkInterface.1.AssociatePublicIpAddress": "true",
      "TagSpecification.1.ResourceType": "instance",
      "TagSpecification.2.ResourceType": "volume",
      "TagSpecification.3.ResourceType": "network-interface",
      "TagSpecification.3.Tag.1.Key": "Name",
      "TagSpecification.3.Tag.2.Key": "docker-machine:create-id",
      "TagSpecification.3.Tag.2.Value": "test-web",
      "TagSpecification.3.Tag.3.Key": "team",
    };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, sent[name]])), expected);
    const [instance] = await account.instances();
    assert.equal(machine.config["InstanceId"], instance?.InstanceId);
    assert.equal((machine.config["HostKeys"] as string[]).length, 2);
    assert.match(Buffer.from(sent["UserData"] ?? "", "base64").toString(), /^#cloud-config[^]*ed25519_private/u);
    assert.deepEqual((await readdir(machine.machineDir)).toSorted(), ["id_ed25519", "id_ed25519.pub"]);
    await removed(machine);
    assert.ok(!machine.events.includes(testSecret) && !(machine.stored ?? "").includes(testSecret));
  });

  test("with a deadline a power-off from within ends the instance; that is changed and taken back", async () => {
    await using machine = await TestMachine.open(moto, "brief");
    const behaviour = async (): Promise<unknown> =>
      (await moto.requests()).findLast(({ action }) => action === "ModifyInstanceAttribute")?.params[
        "InstanceInitiatedShutdownBehavior.Value"
      ];
    await machine.prepare();
    await machine.run(async (driver, signal) => await driver.setLifetime?.(new Date(), signal));
    await machine.create();
    assert.equal((await lastRun())["InstanceInitiatedShutdownBehavior"], "terminate");
    assert.equal(await behaviour(), undefined);
    await machine.run(async (driver, signal) => await driver.setLifetime?.(undefined, signal));
    assert.equal(await behaviour(), "stop");
    await machine.run(async (driver, signal) => await driver.setLifetime?.(new Date(), signal));
    assert.equal(await behaviour(), "terminate");
    await removed(machine);
  });

  test("a system's word becomes the image of the size's architecture, by parameter or by the newest image", async () => {
    for (const [word, size, image, user] of [
      ["ubuntu", "t4g.micro", "ami-0b000000000002604", "ubuntu"],
      ["ubuntu-24.04", "t3.micro", "ami-0a000000000002404", "ubuntu"],
      ["debian", "t3.micro", "ami-0a000000000000113", "admin"],
      ["debian-12", "t3.micro", "ami-0a000000000000012", "admin"],
    ] as const) {
      await using machine = await TestMachine.open(moto, "word");
      await machine.prepare({ "amazonec2-ami": word, "amazonec2-instance-type": size });
      assert.deepEqual([machine.config["AMI"], machine.config["SSHUser"]], [image, user], word);
    }
  });

  const onRun = (fault: Omit<Fault, "action">): Fault => ({ action: "RunInstances", ...fault });

  for (const [what, fault] of [
    ["an answer that is lost once", onRun({ lost: true })],
    ["a request that is heard twice", onRun({ doubled: true })],
    ["a network that is cut before the request is heard", onRun({ cut: true })],
    [
      "a group that AWS does not know yet where the instance is asked for",
      onRun({ times: 2, error: { status: 400, code: "InvalidGroup.NotFound", message: "The security group does not exist" } }),
    ],
    [
      "a failure that passes",
      onRun({ error: { status: 500, code: "InternalError", message: "An internal error has occurred" } }),
    ],
    [
      "a rate limit that passes",
      onRun({ times: 2, error: { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." } }),
    ],
  ] as const)
    test(`${what} makes one instance`, async () => {
      await using machine = await TestMachine.open(moto, "once");
      await machine.prepare();
      await moto.fail(fault);
      await machine.create();
      assert.equal((await account.instances()).length, 1);
      await removed(machine);
    });

  test("a rate limit that outlasts the request's own attempts is waited out, in the dry run not at all", async () => {
    const many = { times: 3, error: { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." } };
    await using machine = await TestMachine.open(moto, "patient");
    await moto.fail(onRun({ ...many, dry: true }), onRun(many));
    await machine.prepare({ "amazonec2-retries": 1 });
    await machine.create();
    assert.equal((await account.instances()).length, 1);
    await removed(machine);
    await using hasty = await TestMachine.open(moto, "hasty");
    await hasty.prepare({ "amazonec2-retries": -1 });
    await moto.fail(onRun(many));
    await assert.rejects(hasty.create(), (error) => isMachineError(error, "provider-rate-limit"));
    await removed(hasty);
  });

  for (const action of ["ImportKeyPair", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "RunInstances"])
    test(`a create whose ${action} had no answer goes on where it was`, async () => {
      await using machine = await TestMachine.open(moto, "again");
      await machine.prepare({ "amazonec2-retries": -1, "amazonec2-open-cidr": ["192.0.2.0/24"] });
      await moto.fail({ action, lost: true });
      await assert.rejects(machine.create(), (error) => isMachineError(error, "provider-error"));
      await machine.create();
      const found = await account.instances();
      assert.deepEqual(
        found.map(({ InstanceId }) => InstanceId),
        [machine.config["InstanceId"]],
      );
      await removed(machine);
    });

  test("an instance that AWS shows late is waited for, and is not made again", async () => {
    await using machine = await TestMachine.open(moto, "late");
    await machine.prepare();
    await machine.create();
    const unknown = { status: 400, code: "InvalidInstanceID.NotFound", message: "The instance ID does not exist" };
    await moto.fail({ action: "DescribeInstances", error: unknown });
    await machine.create();
    assert.equal((await account.instances()).length, 1);
    await removed(machine);
  });

  test("rm after a create whose answer was lost finds what was made", async () => {
    await using machine = await TestMachine.open(moto, "lost");
    await machine.prepare({ "amazonec2-retries": -1 });
    await moto.fail(onRun({ lost: true }));
    await assert.rejects(machine.create());
    assert.equal((await account.instances()).length, 1);
    assert.equal(machine.config["InstanceId"], "");
    await removed(machine);
  });

  test("no machine takes another's instance, nor removes it", async () => {
    await using one = await TestMachine.open(moto, "one");
    await using two = await TestMachine.open(moto, "two");
    for (const machine of [one, two]) {
      await machine.prepare();
      await machine.create();
    }
    await one.run(async (driver, signal) => await driver.remove(signal));
    assert.deepEqual(
      (await account.instances()).map(({ InstanceId }) => InstanceId),
      [two.config["InstanceId"]],
    );
    await removed(two);
  });

  for (const [what, fault, code] of [
    [
      "capacity",
      { status: 500, code: "InsufficientInstanceCapacity", message: "We currently do not have sufficient capacity" },
      "provider-capacity",
    ],
    ["quota", { status: 400, code: "VcpuLimitExceeded", message: "You have requested more vCPU capacity" }, "provider-quota"],
    ["spot price", { status: 400, code: "SpotMaxPriceTooLow", message: "Your Spot request price is lower" }, "provider-capacity"],
  ] as const)
    test(`without ${what} it is said so, and rm leaves nothing`, async () => {
      await using machine = await TestMachine.open(moto, "full");
      await machine.prepare({ "amazonec2-retries": -1 });
      await moto.fail(onRun({ error: fault }));
      await assert.rejects(machine.create(), (error) => isMachineError(error, code));
      await removed(machine);
    });

  test("the address is another after a start, and none while it is stopped", async () => {
    await using machine = await TestMachine.open(moto, "moving");
    await machine.prepare();
    await machine.create();
    const locate = async (): Promise<string> =>
      await machine.run(async (driver, signal) => {
        await driver.locate?.(signal);
        return await driver.getIp();
      });
    const first = await locate();
    assert.match(first, /^\d+\./u);
    await machine.run(async (driver, signal) => await driver.stop(signal));
    assert.equal(await machine.driver().getUrl(), "");
    await machine.run(async (driver, signal) => await driver.start(signal));
    const second = await locate();
    assert.notEqual(second, first);
    assert.equal(await machine.driver().getUrl(), `tcp://${second}:2376`);
    await removed(machine);
  });

  test("a private machine keeps its address over a stop", async () => {
    await using machine = await TestMachine.open(moto, "private");
    await machine.prepare({ "amazonec2-private-address-only": true });
    await machine.create();
    assert.equal((await lastRun())["NetworkInterface.1.AssociatePublicIpAddress"], "false");
    await machine.run(async (driver, signal) => await driver.locate?.(signal));
    const address = await machine.driver().getIp();
    await machine.run(async (driver, signal) => await driver.stop(signal));
    assert.equal(await machine.driver().getIp(), address);
    await removed(machine);
  });

  test("an instance that others terminated is told as such, and rm succeeds", async () => {
    await using machine = await TestMachine.open(moto, "ended");
    await machine.prepare();
    await machine.create();
    await account.client.send(new TerminateInstancesCommand({ InstanceIds: [String(machine.config["InstanceId"])] }));
    assert.equal(await machine.driver().getState(AbortSignal.timeout(9_000)), "Error");
    await assert.rejects(
      machine.run(async (driver, signal) => await driver.start(signal)),
      (error) => isMachineError(error, "provider-not-found"),
    );
    await removed(machine);
  });

  test("credentials of another account do not make rm believe that the instance is gone", async () => {
    await using machine = await TestMachine.open(moto, "foreign");
    await machine.prepare();
    await machine.create();
    machine.stored = (machine.stored ?? "").replace(/"OwnerId":"\d+"/u, '"OwnerId":"210987654321"');
    await assert.rejects(
      machine.run(async (driver, signal) => await driver.remove(signal)),
      (error) => isMachineError(error, "provider-credentials"),
    );
    assert.equal((await account.instances()).length, 1);
  });

  test("ranges make a group of the machine's own, with rules for them alone, that goes with it", async () => {
    await using machine = await TestMachine.open(moto, "narrow");
    await machine.prepare({ "amazonec2-open-cidr": ["192.0.2.0/24", "2001:db8::/32"], "amazonec2-open-port": ["8080"] });
    await machine.create();
    const { SecurityGroups = [] } = await account.client.send(
      new DescribeSecurityGroupsCommand({ GroupIds: machine.config["SecurityGroupIds"] as string[] }),
    );
    const rules = (SecurityGroups[0]?.IpPermissions ?? []).flatMap(({ FromPort, IpRanges = [], Ipv6Ranges = [] }) =>
      [...IpRanges.map(({ CidrIp }) => CidrIp), ...Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6)].map(
        (cidr) => `${FromPort} ${cidr}`,
      ),
    );
    assert.deepEqual(
      rules.toSorted(),
      ["22", "2376", "8080"].flatMap((port) => [`${port} 192.0.2.0/24`, `${port} 2001:db8::/32`]).toSorted(),
    );
    assert.ok(SecurityGroups[0]?.Tags?.some(({ Value }) => Value === "test-narrow"));
    await removed(machine);
  });

  test("the shared group is made once, warned about once, and stays", async () => {
    for (const name of ["first", "second"]) {
      await using machine = await TestMachine.open(moto, name);
      await machine.prepare();
      await machine.create();
      assert.equal(machine.events.includes("lets everybody reach"), name === "first");
      await removed(machine);
    }
    assert.equal(
      (await moto.requests()).filter(({ action, params }) => action === "CreateSecurityGroup" && params["DryRun"] === undefined)
        .length,
      1,
    );
  });

  test("a spot instance is asked for with its rules", async () => {
    await using machine = await TestMachine.open(moto, "spot");
    await machine.prepare({
      "amazonec2-request-spot-instance": true,
      "amazonec2-spot-interruption": "stop",
      "amazonec2-spot-price": "0.02",
    });
    await machine.create();
    const sent = await lastRun();
    assert.equal(sent["InstanceMarketOptions.SpotOptions.SpotInstanceType"], "persistent");
    assert.equal(sent["InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"], "stop");
    assert.equal(sent["InstanceMarketOptions.SpotOptions.MaxPrice"], "0.02");
    await removed(machine);
  });

  test("a spot instance that AWS took back: terminated, which is said; or stopped, and started again", async () => {
    const begin = async (machine: TestMachine, interruption: "terminate" | "stop"): Promise<void> => {
      await machine.prepare({ "amazonec2-request-spot-instance": true, "amazonec2-spot-interruption": interruption });
      await machine.create();
      await moto.interrupt(String(machine.config["InstanceId"]), interruption);
    };
    const stateOf = async (machine: TestMachine): Promise<string> =>
      await machine.run(async (driver, signal) => await driver.getState(signal));
    const start = async (machine: TestMachine): Promise<void> =>
      await machine.run(async (driver, signal) => await driver.start(signal));

    await using ended = await TestMachine.open(moto, "ended");
    await begin(ended, "terminate");
    assert.equal(await stateOf(ended), "Error");
    await assert.rejects(start(ended), (error) => {
      assert.ok(isMachineError(error, "provider-not-found"), String(error));
      assert.match(error.message, /was terminated: AWS took the spot instance back$/u);
      assert.match(error.hint ?? "", /--amazonec2-spot-interruption stop/u);
      return true;
    });
    await removed(ended);

    await using kept = await TestMachine.open(moto, "kept");
    await begin(kept, "stop");
    assert.equal(await stateOf(kept), "Stopped");
    await start(kept);
    assert.equal(await stateOf(kept), "Running");
    await removed(kept);
  });

  test("a key pair of the user's is used and kept", async () => {
    await using machine = await TestMachine.open(moto, "keyed");
    const line = `ssh-ed25519 ${Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0 01234567890123456789012345678901").toString("base64")} me`;
    await account.client.send(new ImportKeyPairCommand({ KeyName: "mine", PublicKeyMaterial: Buffer.from(line) }));
    await machine.prepare({ "amazonec2-keypair-name": "mine" });
    await machine.create();
    assert.equal((await lastRun())["KeyName"], "mine");
    assert.equal(await machine.driver().getSshKeyPath(), "");
    await machine.run(async (driver, signal) => await driver.remove(signal));
    assert.deepEqual(await account.left(), ["mine"]);
  });
});
