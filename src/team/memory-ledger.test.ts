import { FakeClock } from "../system/fake-clock.ts";
import { MemoryDatabase, MemoryLedger } from "./memory-ledger.ts";
import { describeLedgerContract } from "./testing/ledger-contract.ts";

describeLedgerContract("MemoryLedger", async () => {
  const clock = new FakeClock();
  const database = new MemoryDatabase(clock);
  return { open: async () => new MemoryLedger(database), pass: async (ms) => await clock.advance(ms) };
});
