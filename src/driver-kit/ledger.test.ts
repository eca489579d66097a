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
    await removeAll(ledger, ["instance", "disk"], async ({ id }) => void removed.push(id), signal);
    assert.deepEqual(removed, ["i-1", "d-2", "d-1", "o-1", "k-1"]);
    assert.deepEqual(notes, []);
  });

  it("tries all, keeps what stayed, and tells the first failure after the last", async () => {
    const { ledger, notes } = ledgerOn(["key=k-1", "disk=d-1", "instance=i-1"]);
    const remove = async ({ kind }: { readonly kind: string }): Promise<void> => {
      if (kind !== "key") throw new Error(`no ${kind}`);
      await Promise.resolve();
    };
    await assert.rejects(removeAll(ledger, ["instance", "disk", "key"], remove, signal), /no instance/u);
    assert.deepEqual(notes, ["disk=d-1", "instance=i-1"]);
  });

  it("stops at the signal", async () => {
    const stop = new AbortController();
    const { ledger, notes } = ledgerOn(["disk=d-1", "instance=i-1"]);
    const remove = async (): Promise<void> => {
      stop.abort(new Error("enough"));
      throw new Error("cut off");
    };
    await assert.rejects(removeAll(ledger, [], remove, stop.signal), /enough/u);
    assert.deepEqual(notes, ["disk=d-1", "instance=i-1"]);
  });
});
