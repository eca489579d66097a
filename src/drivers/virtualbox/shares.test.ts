import assert from "node:assert/strict";
import { test } from "node:test";
import { mountOf, parseShare, shareOf } from "./shares.ts";

test("a folder and a name are told by the last colon", () => {
  assert.deepEqual(parseShare("/srv/a:work"), { hostPath: "/srv/a", name: "work" });
  assert.deepEqual(parseShare("C:\\Users\\me:home"), { hostPath: "C:\\Users\\me", name: "home" });
  for (const text of ["", "/srv", ":work", "/srv:", "/srv:my files", "C:\\Users"])
    assert.equal(parseShare(text), undefined, text);
});

test("all homes are shared under 0.16.2's names, unless another folder or nothing is wished", () => {
  const nothing = { ShareFolder: "", NoShare: false };
  assert.equal(shareOf(nothing, "linux")?.name, "hosthome");
  assert.equal(shareOf(nothing, "darwin")?.hostPath, "/Users");
  assert.deepEqual(shareOf({ ShareFolder: "/srv:work", NoShare: true }, "linux"), { hostPath: "/srv", name: "work" });
  assert.equal(shareOf({ ShareFolder: "", NoShare: true }, "windows"), undefined);
});

test("the guest's own kernel mounts it, and boots without it", () => {
  assert.deepEqual(mountOf({ hostPath: "C:\\Users", name: "c/Users" }), [
    "c/Users",
    "/c/Users",
    "vboxsf",
    "uid=1000,gid=1000,nofail",
  ]);
});
