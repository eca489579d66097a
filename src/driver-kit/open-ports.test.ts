import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { isOpenToWorld, machinePorts, parseCidrs, parseOpenPort, parseOpenPorts, type PortWish } from "./open-ports.ts";

const refused = (work: () => unknown): { readonly message: string; readonly hint?: string | undefined } => {
  try {
    work();
  } catch (error) {
    assert.ok(isMachineError(error, "driver-options"));
    return error;
  }
  return assert.fail("nothing was refused");
};

test("ports are numbers with a protocol, tcp unless another is said, or ranges", () => {
  assert.deepEqual(parseOpenPort("x-open-port", "8080"), { protocol: "tcp", from: 8080, to: 8080 });
  assert.deepEqual(parseOpenPort("x-open-port", "53/udp"), { protocol: "udp", from: 53, to: 53 });
  assert.deepEqual(parseOpenPort("x-open-port", "8000-8100/udp"), { protocol: "udp", from: 8000, to: 8100 });
  assert.deepEqual(
    parseOpenPorts("x-open-port", ["53/*", "80"]).map(({ protocol, from }) => `${from}/${protocol}`),
    ["53/tcp", "53/udp", "80/tcp"],
  );
});

test("what is no port is refused in 0.16.2's words", () => {
  const message = (text: string): string => refused(() => parseOpenPort("x-open-port", text)).message;
  assert.equal(message("http"), 'invalid port number http: strconv.ParseInt: parsing "http": invalid syntax');
  assert.equal(message(""), 'invalid port number : strconv.ParseInt: parsing "": invalid syntax');
  assert.equal(message("65536/tcp"), 'invalid port number 65536: strconv.ParseInt: parsing "65536": value out of range');
  assert.equal(message("0"), 'invalid port number 0: strconv.ParseInt: parsing "0": value out of range');
  assert.equal(message("80/sctp"), "invalid protocol sctp");
  assert.equal(message("90-80"), "invalid port range 90-80: it ends before it begins");
  assert.match(message("80-90-100"), /^invalid port number 90-100/u);
  assert.match(refused(() => parseOpenPort("x-open-port", "-")).hint ?? "", /^Give --x-open-port a port/u);
});

test("ranges of addresses are told by family; none given means everywhere", () => {
  assert.deepEqual(parseCidrs("x-open-cidr", []), { v4: ["0.0.0.0/0"], v6: [] });
  assert.deepEqual(
    parseCidrs("x-open-cidr", ["192.0.2.77/24", "192.0.2.0/24", "10.1.2.3", "172.16.0.1/12", "2001:DB8::/32", "::1"]),
    {
      v4: ["192.0.2.0/24", "10.1.2.3/32", "172.16.0.0/12"],
      v6: ["2001:db8::/32", "::1/128"],
    },
  );
  assert.deepEqual(parseCidrs("x-open-cidr", ["1.2.3.4/0"]).v4, ["0.0.0.0/0"]);
  for (const text of ["", "me", "1.2.3", "256.0.0.1", "1.2.3.4/33", "::/129", "1.2.3.4/", ":", "::1%eth0/64", "http://[::1]"])
    assert.match(refused(() => parseCidrs("x-open-cidr", [text])).message, /^--x-open-cidr ".*" is no range of addresses$/u);
});

test("what lets in everybody is told", () => {
  assert.equal(isOpenToWorld(parseCidrs("x-open-cidr", [])), true);
  assert.equal(isOpenToWorld(parseCidrs("x-open-cidr", ["::/0"])), true);
  assert.equal(isOpenToWorld(parseCidrs("x-open-cidr", ["10.0.0.0/8"])), false);
});

test("a machine is let in for SSH, its engine, a swarm master's port and what is wanted, each once", () => {
  const wish: PortWish = {
    sshPort: 22,
    enginePort: 2376,
    swarmMaster: false,
    swarmHost: "tcp://0.0.0.0:3376",
    openPorts: parseOpenPorts("x-open-port", ["80", "2376/tcp", "22/udp"]),
  };
  const words = (given: PortWish): string[] => machinePorts(given).map(({ protocol, from, to }) => `${protocol} ${from}-${to}`);
  assert.deepEqual(words(wish), ["tcp 22-22", "tcp 2376-2376", "tcp 80-80", "udp 22-22"]);
  assert.ok(words({ ...wish, swarmMaster: true, swarmHost: "tcp://0.0.0.0:4000" }).includes("tcp 4000-4000"));
  assert.ok(words({ ...wish, swarmMaster: true, swarmHost: "" }).includes("tcp 3376-3376"));
});
