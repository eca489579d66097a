import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { debianEngine, hostFacts, provisionRequest, runningAnswer } from "../../../test/support/host-facts.ts";
import { runShell, shells } from "../../../test/support/shells.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { SecretText } from "../shell/secret-text.ts";
import { boot2dockerLayout, certificateHostFiles, layoutFor, withBlock, type EngineFiles } from "./engine-files.ts";

const contentOf = (files: EngineFiles, path: string): string => String(files.files.find((file) => file.path === path)?.content);
const dropInPath = "/etc/systemd/system/docker.service.d/10-machine.conf";

test("on systemd the unit's own command line is repeated and ours is added, 0.16.2's flags in its order", () => {
  const request = provisionRequest({
    engine: {
      labels: ["rack=3"],
      insecureRegistries: ["reg:5000"],
      registryMirrors: ["https://m"],
      options: ["log-driver=journald"],
      env: ["A=b", "HTTP_PROXY=http://p%3A:1"],
    },
  });
  const files = layoutFor("systemd").render(hostFacts({ engine: debianEngine }), request, false);
  assert.equal(
    contentOf(files, dropInPath),
    "[Service]\nExecStart=\n" +
      "ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS -H tcp://0.0.0.0:2376 " +
      "--tlsverify --tlscacert /etc/docker/ca.pem --tlscert /etc/docker/server.pem --tlskey /etc/docker/server-key.pem " +
      "--label provider=generic --label rack=3 --insecure-registry reg:5000 --registry-mirror https://m --log-driver=journald\n" +
      'Environment="A=b" "HTTP_PROXY=http://p%%3A:1"\n',
  );
  assert.equal(files.files.length, 1);
});

test("secrets of the engine's environment stand in a file of root's alone, which goes when there are none any more", () => {
  const env = ["A=b", "HTTPS_PROXY=http://me:p$ss@proxy", 'MY_TOKEN=a "b" \\ `c`'];
  const facts = hostFacts({ engine: debianEngine });
  const { files, remove } = layoutFor("systemd").render(facts, provisionRequest({ engine: { env } }), false);
  const [secret, dropIn] = files;
  assert.deepEqual([secret?.path, secret?.mode, remove], ["/etc/docker/machine.env", "0600", []]);
  assert.ok(secret?.content instanceof SecretText);
  assert.equal(secret.content.reveal(), 'HTTPS_PROXY="http://me:p\\$ss@proxy"\nMY_TOKEN="a \\"b\\" \\\\ \\`c\\`"\n');
  assert.match(String(dropIn?.content), /^Environment="A=b"\nEnvironmentFile=\/etc\/docker\/machine\.env\n$/mu);
  const later = hostFacts({ engine: debianEngine, ownFiles: new Map([["/etc/docker/machine.env", secret.content.reveal()]]) });
  assert.deepEqual(layoutFor("systemd").render(later, provisionRequest(), false).remove, ["/etc/docker/machine.env"]);
});

test("where the environment stands in the settings themselves, its secrets make these root's", () => {
  const modeOf = (env: readonly string[]): string | undefined =>
    layoutFor("openrc")
      .render(hostFacts({ init: "openrc", engine: debianEngine }), provisionRequest({ engine: { env } }), false)
      .files.at(-1)?.mode;
  assert.deepEqual([modeOf(["A=b"]), modeOf(["MY_TOKEN=hush"])], ["0644", "0600"]);
});

test("a machine with an IPv6 address gets a socket for both families", () => {
  const files = layoutFor("systemd").render(
    hostFacts({ engine: debianEngine }),
    provisionRequest({ address: "2001:db8::7", engine: { port: 1234 } }),
    false,
  );
  assert.match(contentOf(files, dropInPath), / -H tcp:\/\/\[::\]:1234 /u);
});

test("hosts in daemon.json take the place of every -H", () => {
  const files = layoutFor("systemd").render(
    hostFacts({ engine: { ...debianEngine, daemonJson: '{"hosts":["fd://"]}' } }),
    provisionRequest(),
    false,
  );
  assert.doesNotMatch(contentOf(files, dropInPath), / -H/u);
  assert.match(contentOf(files, "/etc/docker/daemon.json"), /"tcp:\/\/0\.0\.0\.0:2376"/u);
  assert.deepEqual(files.remarks, ['"hosts" of /etc/docker/daemon.json is kept, and ours is added to it there']);
});

test("the storage driver is 0.16.2's on a fresh engine, ours of before on a known one, and never another than the data's", () => {
  const driverIn = (facts: ReturnType<typeof hostFacts>, wanted = ""): string | undefined =>
    / --storage-driver (\S+)/u.exec(
      contentOf(layoutFor("systemd").render(facts, provisionRequest({ engine: { storageDriver: wanted } }), false), dropInPath),
    )?.[1];
  assert.equal(driverIn(hostFacts({ engine: { fresh: true, dockerdPath: "/usr/bin/dockerd" } })), "overlay2");
  assert.equal(driverIn(hostFacts({ engine: { fresh: true, dataFileSystem: "overlayfs" } })), undefined);
  assert.equal(driverIn(hostFacts({ engine: debianEngine })), undefined);
  const ours = { path: dropInPath, text: "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --storage-driver overlay2\n" };
  assert.equal(driverIn(hostFacts({ engine: { ...debianEngine, unitFiles: [...debianEngine.unitFiles, ours] } })), "overlay2");
  assert.equal(driverIn(hostFacts({ engine: debianEngine }), "overlay2"), "overlay2");
  assert.throws(
    () => driverIn(hostFacts({ engine: debianEngine }), "vfs"),
    (error) =>
      isMachineError(error, "engine-config-conflict") &&
      /keeps its data with the storage driver overlay2, not vfs/u.test(error.message),
  );
  const empty = { ...debianEngine, answer: { ...runningAnswer, holdsData: false }, dataStores: [] };
  assert.equal(driverIn(hostFacts({ engine: empty }), "vfs"), "vfs");
  assert.equal(driverIn(hostFacts({ engine: { ...empty, answer: undefined } }), "vfs"), "vfs");
});

test("an engine without a unit gets one of ours, where the program is", () => {
  const files = layoutFor("systemd").render(
    hostFacts({ engine: { ...debianEngine, dockerdPath: "/opt/my docker/dockerd", unitFiles: [] } }),
    provisionRequest(),
    true,
  );
  assert.match(contentOf(files, "/etc/systemd/system/docker.service"), /^ExecStart="\/opt\/my docker\/dockerd"$/mu);
});

const awkward = fc.string({ unit: fc.constantFrom(..."ab =$`\"'\\%;&|<>*?[]~#é".split("")), minLength: 1, maxLength: 15 });
const labels = ["plain=1", "a=two words", 'q=it\'s "q" $HOME `id` \\', ...fc.sample(awkward, 50)];

for (const shell of shells) {
  test(`on OpenRC every value survives conf.d and the evaluation after it, in ${shell.join(" ")}`, () => {
    const env = ['P=it\'s $a `b` "c" \\'];
    const facts = hostFacts({
      init: "openrc",
      engine: { settingsFiles: [{ path: "/etc/conf.d/docker", text: 'DOCKER_OPTS="--theirs"' }] },
    });
    const confd = contentOf(
      layoutFor("openrc").render(facts, provisionRequest({ engine: { labels, env } }), false),
      "/etc/conf.d/docker",
    );
    // What openrc-run and start-stop-daemon do: source the file, put the options into a word, evaluate that.
    const result = runShell(
      shell,
      `${confd}\ncommand_args="\${DOCKER_OPTS}"\neval set -- $command_args\nprintf '%s\\0' "$@" "$P"`,
    );
    const words = result.stdout.split("\0").slice(0, -1);
    assert.equal(words[0], "--theirs");
    assert.deepEqual(
      words.filter((_, index) => words[index - 1] === "--label"),
      ["provider=generic", ...labels],
    );
    assert.equal(words.at(-1), 'it\'s $a `b` "c" \\');
  });
}

test("our block in a settings file replaces the one of before, and what stands around it stays", () => {
  const once = withBlock("# theirs\nA=1", "X=1\n");
  assert.equal(once, "# theirs\nA=1\n# docker-machine: begin\nX=1\n# docker-machine: end\n");
  assert.equal(withBlock(`${once}B=2\n`, "Y=2\n"), "# theirs\nA=1\nB=2\n# docker-machine: begin\nY=2\n# docker-machine: end\n");
});

function upstartFiles(label: string): EngineFiles {
  return layoutFor("upstart").render(hostFacts({ init: "upstart" }), provisionRequest({ engine: { labels: [label] } }), false);
}

test("where an init script splits at blanks, a value with one is refused by name", () => {
  assert.match(contentOf(upstartFiles("a=b"), "/etc/default/docker"), /--label a=b/u);
  assert.throws(
    () => upstartFiles("a=b c"),
    (error) => isMachineError(error, "engine-config-conflict") && error.message.includes('"a=b c"'),
  );
});

test("boot2docker's profile is 0.16.2's", () => {
  const files = boot2dockerLayout.render(
    hostFacts({ os: { id: "boot2docker" } }),
    provisionRequest({ driverName: "virtualbox", engine: { labels: ["a=b"], env: ["K=v w"] } }),
    false,
  );
  assert.equal(
    contentOf(files, "/var/lib/boot2docker/profile"),
    "\nEXTRA_ARGS='\n--label provider=virtualbox\n--label a=b\n\n'\nCACERT=/var/lib/boot2docker/ca.pem\nDOCKER_HOST='-H tcp://0.0.0.0:2376'\n" +
      "DOCKER_STORAGE=overlay2\nDOCKER_TLS=auto\nSERVERKEY=/var/lib/boot2docker/server-key.pem\nSERVERCERT=/var/lib/boot2docker/server.pem\n\nexport K='v w'\n",
  );
});

test("the key is the one secret among the certificates, and shows itself nowhere", () => {
  const files = certificateHostFiles(provisionRequest(), "/etc/docker", { others: [], ca: "CA", trusted: [] });
  assert.deepEqual(
    files.map((file) => [file.path, file.mode, file.content instanceof SecretText]),
    [
      ["/etc/docker/ca.pem", "0644", false],
      ["/etc/docker/server.pem", "0644", false],
      ["/etc/docker/server-key.pem", "0600", true],
    ],
  );
  assert.doesNotMatch(JSON.stringify(files) + String(files[2]?.content), /CANARY/u);
});
