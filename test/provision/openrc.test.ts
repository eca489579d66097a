/** OpenRC itself reads what we write for it: the init script starts the engine with every value unchanged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { layoutFor } from "../../src/provision/engine/engine-files.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { hostFacts, provisionRequest } from "../support/host-facts.ts";

const skip = (await labUnavailableReason()) ?? false;

const labels = ["plain=1", 'a=$x `y` "q" %h it\'s; back\\slash', "blanks=a  b\tc", "pattern=*?[a]", "unicode=é✓"];
const env = ['FOO=a b$c"d\\e%f `g`'];
const program = "/usr/local/bin/engine";

/** Stands where dockerd would: says how it was started, and stays. */
const engine = `#!/bin/sh
printf '%s\\0' "$@" "$FOO" > /root/arguments.new
mv /root/arguments.new /root/arguments
exec sleep 1000
`;

test("OpenRC starts the engine with every value unchanged, and stops it", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm");
  await host.sh(
    "apt-get -qq update; apt-get -qq install -y --no-install-recommends openrc > /dev/null 2>&1; mkdir -p /run/openrc; : > /run/openrc/softlevel; mkdir -p /etc/conf.d",
  );
  const facts = hostFacts({ init: "openrc", engine: { dockerdPath: program, fresh: false } });
  const { files } = layoutFor("openrc").render(facts, provisionRequest({ engine: { labels, env } }), true);
  for (const file of files) await host.sh(`cat > ${file.path}; chmod ${file.mode} ${file.path}`, { stdin: String(file.content) });
  await host.sh(`cat > ${program}; chmod 755 ${program}`, { stdin: engine });
  // The lab's host has no control groups of OpenRC's own to depend on.
  await host.sh("rc-service --nodeps docker start && timeout 10 sh -c 'until [ -e /root/arguments ]; do sleep 0.1; done'");
  const words = (await host.sh("cat /root/arguments | base64 -w 0").then((text) => Buffer.from(text, "base64").toString())).split(
    "\0",
  );
  assert.deepEqual(
    words.filter((_, index) => words[index - 1] === "--label"),
    ["provider=generic", ...labels],
  );
  assert.equal(words.at(-2), 'a b$c"d\\e%f `g`');
  assert.match(await host.sh("rc-service --nodeps docker status"), /started/u);
  await host.sh("rc-service --nodeps docker stop");
  assert.equal(await host.sh("pgrep -x sleep || true"), "");
});
