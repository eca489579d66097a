import { MemoryStore } from "./memory-store.ts";
import { describeStoreContract } from "./testing/store-contract.ts";

describeStoreContract("MemoryStore", async () => {
  const store = new MemoryStore();
  return {
    store,
    plant: async (machine, text) => void store.texts.set(machine, text),
    stored: async (machine, file) => (file === "config.json.bak" ? store.backups : store.texts).get(machine),
  };
});
