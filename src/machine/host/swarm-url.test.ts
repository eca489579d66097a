/** Where a swarm master is, by what `--swarm-host` was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SwarmOptions } from "../../store/host-record.ts";
import { swarmUrlOf } from "./engine-connection.ts";

const urlFor = (Host: string): string | undefined => swarmUrlOf("tcp://192.0.2.7:2376", { Host } as SwarmOptions);

test("the master is at the machine's address and the port of --swarm-host", () => {
  assert.equal(urlFor("tcp://0.0.0.0:3376"), "tcp://192.0.2.7:3376");
  assert.equal(urlFor("tcp://192.0.2.7:4000/"), "tcp://192.0.2.7:4000");
  assert.equal(urlFor("tcp://[::]:3377"), "tcp://192.0.2.7:3377");
  assert.equal(urlFor("tcp://:3378"), "tcp://192.0.2.7:3378");
});

for (const host of [
  "",
  "0.0.0.0:3376",
  ":3376",
  "0.0.0.0",
  "tcp://0.0.0.0",
  "tcp://0.0.0.0:port",
  "tcp://0.0.0.0:3376/x",
  "3376",
])
  test(`${JSON.stringify(host)} is no URL with a port, and none is guessed`, () => assert.equal(urlFor(host), undefined));
