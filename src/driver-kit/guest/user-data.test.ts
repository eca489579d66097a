/** Joining with what users bring, as far as it can be judged here; cloud-init itself reads the results in test/guest. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { isMachineError } from "../../errors/machine-error.ts";
import { cloudConfigText } from "./cloud-config.ts";
import { mimeDocument } from "./mime.ts";
import { cloudInitData, userDataBounds, type CloudInitData, type CloudInitWish } from "./user-data.ts";
import { hasUnlistedUsers, kindOfUserData, settlesHostKeys } from "./user-data-kind.ts";

const identity = {
  hostName: "web",
  userName: "ubuntu",
  authorizedKeys: ["ssh-ed25519 AAAA me"],
  hostKeys: [{ type: "ed25519", privateKey: "PRIVATE HALF\n", publicKey: "ssh-ed25519 BBBB web" }],
} as const;
const data = (userData?: string | Uint8Array, more: Partial<CloudInitWish> = {}): CloudInitData =>
  cloudInitData({
    identity,
    keepsImageUser: true,
    userData: userData === undefined ? undefined : Buffer.from(userData),
    userDataFlag: "x-userdata",
    ...more,
  });
const text = ({ bytes }: CloudInitData): string => Buffer.from(bytes).toString("utf8");
const refuses = (work: () => unknown, sentence: RegExp): void =>
  assert.throws(
    work,
    (error) => isMachineError(error, "driver-options") && sentence.test(error.message) && error.hint !== undefined,
  );

describe("user data", () => {
  test("without the user's own is one plain cloud-config", () => {
    for (const empty of [undefined, "", " \n"]) {
      const found = data(empty);
      assert.ok(text(found).startsWith("#cloud-config\n{"));
      assert.deepEqual([found.hostKeysInjected, found.userInjected, found.note, found.gzipped], [true, true, undefined, false]);
    }
  });

  test("is the same in every call", () => {
    assert.deepEqual(data("#!/bin/sh\n"), data("#!/bin/sh\n"));
    const bounds = { mostBytes: 1_200, gzip: "bytes" } as const;
    assert.deepEqual(data("#!/bin/sh\n".padEnd(5_000, "x"), { bounds }), data("#!/bin/sh\n".padEnd(5_000, "x"), { bounds }));
  });

  test("that was packed is unpacked before it is judged", () => {
    assert.deepEqual(data(gzipSync("#cloud-config\nhostname: x\n")), data("#cloud-config\nhostname: x\n"));
    refuses(() => data(gzipSync("#cloud-config\n").subarray(0, 12)), /^The file of --x-userdata begins like gzip/u);
  });

  for (const [what, given] of [
    ["Ignition's", '{"ignition": {"version": "3.4.0"}}'],
    ["of an unknown kind", "[settings.host]\nname = 1\n"],
  ] as const) {
    test(`that is ${what} goes alone, and that is said`, () => {
      const found = data(given);
      assert.deepEqual([text(found), found.hostKeysInjected, found.userInjected], [given, false, false]);
      assert.match(found.note ?? "", /^The file of --x-userdata is .* passed on as it is/u);
    });
  }

  for (const given of [
    "#cloud-config\nssh_keys:\n  rsa_private: x\n",
    '#cloud-config\n{"ssh_keys": {}}\n',
    "#cloud-config\nssh_deletekeys: false\n",
    "#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    ssh_keys: {}\n",
    "Content-Type: text/cloud-config\nMIME-Version: 1.0\n\n#cloud-config\nssh_keys: {}\n",
  ]) {
    test(`that settles the host keys keeps them: ${JSON.stringify(given.slice(0, 40))}`, () => {
      const found = data(given);
      assert.equal(found.hostKeysInjected, false);
      assert.equal(text(found).includes("PRIVATE HALF"), false);
      assert.match(found.note ?? "", /first connection cannot be verified/u);
    });
  }

  test("that only talks of host keys settles nothing", () => {
    assert.equal(settlesHostKeys(Buffer.from("#cloud-config\n# ssh_keys: none\nssh_deletekeys: true\nmy_ssh_keys: 1\n")), false);
  });

  test("whose users are no list is refused: the machine's user could not be added", () => {
    for (const given of ["users: alice,bob", "users:\n  alice: true", '"users": {alice: {}}'])
      refuses(() => data(`#cloud-config\n${given}\n`), /"users" in the file of --x-userdata is not a list/u);
    for (const given of ["users: [alice]", "users:\n- alice", "users:\n\n  # one\n  - alice", "users: &u [a]", "runcmd: [users]"])
      assert.equal(hasUnlistedUsers(Buffer.from(`#cloud-config\n${given}\n`)), false, given);
  });
});

describe("bounds", () => {
  const noise = fc.sample(fc.uint8Array({ minLength: 60_000, maxLength: 60_000 }), { seed: 1, numRuns: 1 })[0] ?? Buffer.alloc(0);
  const random = `#!/bin/sh\n# ${Buffer.from(noise).toString("base64")}`;
  const even = `#!/bin/sh\n# ${"a".repeat(100_000)}`;

  test("what fits is sent as it is", () => {
    for (const bounds of Object.values(userDataBounds)) assert.equal(data("#!/bin/sh\n", { bounds }).gzipped, false);
  });

  test("what is too large is packed where the provider takes bytes", () => {
    const found = data(even, { bounds: userDataBounds.amazonec2 });
    assert.deepEqual([found.gzipped, found.bytes.length < 16_384], [true, true]);
    assert.deepEqual(gunzipSync(found.bytes), Buffer.from(data(even).bytes));
  });

  test("what does not fit is refused with both numbers", () => {
    refuses(() => data(even, { bounds: userDataBounds.digitalocean }), /has 1\d{5} bytes, and the provider takes 65536$/u);
    refuses(
      () => data(random, { bounds: userDataBounds.amazonec2 }),
      /has \d+ bytes when packed, and the provider takes 16384$/u,
    );
  });

  test("base64 counts where the provider takes nothing else", () => {
    const bounds = { mostBytes: 2_000, gzip: "base64" } as const;
    const packed = data(even, { bounds: { ...bounds, mostBytes: 16_384 } }).bytes.length;
    assert.equal(data(even, { bounds: { ...bounds, mostBytes: Math.ceil(packed / 3) * 4 } }).gzipped, true);
    refuses(() => data(even, { bounds: { ...bounds, mostBytes: Math.ceil(packed / 3) * 4 - 1 } }), /when packed/u);
  });

  test("a provider of text gets text", () => {
    const document = Buffer.from("MIME-Version: 1.0\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n# \xff\n", "latin1");
    refuses(() => data(document, { bounds: userDataBounds.digitalocean }), /is not UTF-8 text/u);
  });
});

describe("kinds", () => {
  for (const [begins, type] of [
    ["#cloud-config\n", "text/cloud-config"],
    ["#cloud-config-archive\n", "text/cloud-config-archive"],
    ["#!/bin/sh\n# MIME-Version: 1.0\n", "text/x-shellscript"],
    ["#include\nhttps://a.invalid/\n", "text/x-include-url"],
    ["#include-once\nhttps://a.invalid/\n", "text/x-include-once-url"],
    ["#cloud-boothook\n", "text/cloud-boothook"],
    ["#part-handler\n", "text/part-handler"],
    ["## template: jinja\n#cloud-config\n", "text/jinja2"],
  ] as const) {
    test(`${JSON.stringify(begins)} begins ${type}`, () =>
      assert.deepEqual(kindOfUserData(Buffer.from(begins)), { form: "part", type }));
  }

  test("several parts are told by their headers", () => {
    for (const head of [
      "Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\n\n",
      "MIME-Version: 1.0\nContent-Type: text/plain\n\n",
    ])
      assert.deepEqual(kindOfUserData(Buffer.from(head)), { form: "document" });
  });
});

describe("a document of several parts", () => {
  test("has a boundary that its content cannot have, and whatever content unchanged", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "-", "\n", "é", "\r", "\u{1f600}"), maxLength: 60 }), {
          minLength: 1,
          maxLength: 3,
        }),
        (contents) => {
          const document = mimeDocument(
            contents.map((content) => ({ type: "text/plain", fileName: "f", content: Buffer.from(content) })),
          ).toString("utf8");
          const boundary = /boundary="([^"]+)"/u.exec(document)?.[1] ?? assert.fail();
          const [, ...parts] = document.split(`--${boundary}`);
          assert.equal(parts.pop(), "--\n");
          const read = parts.map((part) => {
            const [head = "", ...body] = part.slice(1, -1).split("\n\n");
            const content = body.join("\n\n");
            return head.includes("base64") ? Buffer.from(content, "base64").toString("utf8") : content;
          });
          assert.deepEqual(read, contents);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("no line is longer than every reader takes", () => {
    const document = mimeDocument([{ type: "text/plain", fileName: "f", content: Buffer.from("x".repeat(5_000)) }]).toString();
    assert.ok(document.split("\n").every((line) => line.length < 998));
  });
});

test("a cloud-config is plain ASCII, with one escape a character", () => {
  assert.equal(cloudConfigText({ a: "é\u{1f600}\u007f\t" }), '#cloud-config\n{\n "a": "\\u00e9\\U0001f600\\u007f\\t"\n}\n');
});
