import assert from "node:assert/strict";
import { test } from "node:test";
import type { PublishedByContainer } from "../../engine/container-ports.ts";
import { mostPorts, wantedPorts } from "./wanted-ports.ts";

const published = (port: number, address: string, container = "web"): PublishedByContainer => ({
  protocol: "tcp",
  address,
  port,
  container,
});

test("a port is wanted once, by whoever publishes it, and told where it can be reached from outside", () => {
  const found = [
    published(8080, "0.0.0.0"),
    published(8080, "::"),
    published(9000, "127.0.0.1", "db"),
    published(9001, "::1", "db"),
    { ...published(53, "", "dns"), protocol: "udp" as const },
    published(53, "10.0.2.15", "dns"),
  ];
  assert.deepEqual(
    wantedPorts(found, () => true).map(({ port, protocol, containers, isReachable }) => [
      port,
      protocol,
      containers.join(),
      isReachable,
    ]),
    [
      [53, "tcp", "dns", true],
      [53, "udp", "dns", true],
      [8080, "tcp", "web", true],
      [9000, "tcp", "db", false],
      [9001, "tcp", "db", false],
    ],
  );
  assert.deepEqual(
    wantedPorts(found, ({ port }) => port === 8080).map(({ port }) => port),
    [8080],
  );
});

test("an engine does not get all ports of this computer", () => {
  const all = Array.from({ length: 2_000 }, (_, index) => published(index + 1, ""));
  assert.equal(wantedPorts(all, () => true).length, mostPorts);
});
