/** A team with many machines, which are put into its database at once: as large as those of a cloud are. */
import { randomBytes } from "node:crypto";
import { encodeNewRecord } from "../../src/store/codec.ts";
import { recordFileName } from "../../src/store/paths.ts";
import { newRecord } from "../../src/store/testing/records.ts";
import type { Files } from "../../src/team/shared-content.ts";
import { itemKeyOf, TeamLedger } from "../../src/team/team-ledger.ts";
import type { Colleague } from "./team-rig.ts";

const never = new AbortController().signal;
const atOnce = 40;

function filesOf(name: string): Files {
  const driverConfigText = JSON.stringify({ IPAddress: "192.0.2.1", StorePath: "{{store}}", Text: "x".repeat(1_000) });
  const pem = (kind: string): string =>
    `-----BEGIN ${kind}-----\n${randomBytes(1_200).toString("base64")}\n-----END ${kind}-----\n`;
  return {
    known_hosts: `${name} ssh-ed25519 ${randomBytes(51).toString("base64")}\n`,
    "server-key.pem": pem("PRIVATE KEY"),
    "server.pem": pem("CERTIFICATE"),
    id_ed25519: pem("OPENSSH PRIVATE KEY"),
    "id_ed25519.pub": `ssh-ed25519 AAAA docker-machine ${name}\n`,
    [recordFileName]: encodeNewRecord(newRecord(name, { driverName: "fakecloud", driverConfigText })),
  };
}

/** `machine-0` to `machine-9999` for 10,000. */
export async function putMachines({ context }: Colleague, count: number): Promise<void> {
  await new TeamLedger(context).use(async (ledger) => {
    const team = new TeamLedger(context);
    for (let first = 0; first < count; first += atOnce) {
      const names = Array.from({ length: Math.min(atOnce, count - first) }, (_, index) => `machine-${first + index}`);
      const at = new Date().toISOString();
      const put = names.map((name) => {
        const shared = { name, files: filesOf(name), by: "alice@laptop", at };
        return { key: itemKeyOf("machines", name), shared, count: 1 };
      });
      await team.commit({ require: [], put, remove: [] }, ledger, never);
    }
  });
}
