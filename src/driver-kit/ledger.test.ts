import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ledger, removeAll } from "./ledger.ts";

const signal = new AbortController().signal;

/** A ledger, its list as stored at each save, and the list. */
function ledgerOn(notes: string[] = []): { ledger: Ledger; notes: string[]; saved: string[][] } {
  const saved: string[][] = [];
  return { ledger: new Ledger(notes, async () => void saved.push([...notes])), notes, saved };
}

describe("the ledger", () => {
  it("is durable before a resource is asked for, and after its id is known", async () => {
    const { ledger, saved } = ledgerOn();
    await ledger.intend("address", "web-ip");
    await ledger.note("address", "eip-1", "web-ip");
    await ledger.note("instance", "i-1");
    assert.deepEqual(saved, [["address=?web-ip"], ["address=eip-1"], ["address=eip-1", "instance=i-1"]]);
    assert.equal(ledger.idOf("instance"), "i-1");
    assert.equal(ledger.idOf("disk"), undefined);
  });

  it("notes nothing twice, and an intent is no id", async () => {
    const { ledger, notes } = ledgerOn(["disk=?web-disk", "instance=i-1"]);
    await ledger.intend("disk", "web-disk");
    await ledger.note("instance", "i-1");
    assert.deepEqual(notes, ["disk=?web-disk", "instance=i-1"]);
    assert.equal(ledger.idOf("disk"), undefined);
    assert.deepEqual(ledger.of("disk"), [{ kind: "disk", id: "web-disk", intended: true }]);
  });

  it("is durable at the second attempt where the first could not be saved", async () => {
    const saved: string[][] = [];
    const notes: string[] = [];
    let isFull = true;
    const ledger = new Ledger(notes, async () => {
      if (isFull) throw new Error("the disk is full");
      saved.push([...notes]);
    });
    await assert.rejects(ledger.intend("disk", "web-disk"), /the disk is full/u);
    isFull = false;
    await ledger.intend("disk", "web-disk");
    assert.deepEqual(saved, [["disk=?web-disk"]]);
  });

  it("drops an intent durably whose id was noted before", async () => {
    const { ledger, saved } = ledgerOn(["disk=d-1", "disk=?web-disk"]);
    await ledger.note("disk", "d-1", "web-disk");
    assert.deepEqual(saved, [["disk=d-1"]]);
  });

  it("keeps ids with any characters", async () => {
    const id = "/subscriptions/a=b/x?y=z";
    const { ledger, notes } = ledgerOn();
    await ledger.note("vm", id);
    assert.deepEqual(new Ledger([...notes], async () => {}).entries, [{ kind: "vm", id, intended: false }]);
  });
});

describe("removing all", () => {
  it("goes by kinds in order, newest first, and forgets what is gone", async () => {
    const { ledger, notes } = ledgerOn(["key=k-1", "disk=d-1", "instance=i-1", "disk=d-2", "odd=o-1"]);
    const removed: string[] = [];
    await removeAll(ledger, ["instance", "disk"], async ({ id }) => removed.push(id) > 0, signal);
    assert.deepEqual(removed, ["i-1", "d-2", "d-1", "o-1", "k-1"]);
    assert.deepEqual(notes, []);
  });

  it("tries all, keeps what stayed, and tells the first failure after the last", async () => {
    const { ledger, notes } = ledgerOn(["key=k-1", "disk=d-1", "instance=i-1"]);
    const remove = async ({ kind }: { readonly kind: string }): Promise<boolean> => {
      if (kind !== "key") throw new Error(`no ${kind}`);
      return true;
    };
    await assert.rejects(removeAll(ledger, ["instance", "disk", "key"], remove, signal), /no instance/u);
    assert.deepEqual(notes, ["disk=d-1", "instance=i-1"]);
  });

  it("keeps an intent that nothing was found of, and forgets one that was removed", async () => {
    const { ledger, notes, saved } = ledgerOn(["key=?web", "disk=?web-disk", "instance=i-1"]);
    await removeAll(ledger, ["instance", "disk", "key"], async ({ kind }) => kind === "disk", signal);
    assert.deepEqual(notes, ["key=?web"]);
    assert.ok(saved.every((list) => list.includes("key=?web")));
  });

  it("stops at the signal", async () => {
    const stop = new AbortController();
    const { ledger, notes } = ledgerOn(["disk=d-1", "instance=i-1"]);
    const remove = async (): Promise<boolean> => {
      stop.abort(new Error("enough"));
      throw new Error("cut off");
    };
    await assert.rejects(removeAll(ledger, [], remove, stop.signal), /enough/u);
    assert.deepEqual(notes, ["disk=d-1", "instance=i-1"]);
  });
});
