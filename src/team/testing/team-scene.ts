/** A team in one process: a database, and members with a folder and an identity each. */
import * as path from "node:path";
import type { ProgressEvent } from "../../log/event.ts";
import type { LockRequest } from "../../store/store.ts";
import { newRecord } from "../../store/testing/records.ts";
import type { Clock } from "../../system/clock.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder, textIfExists, writeText } from "../../system/testing/folder.ts";
import { newIdentity } from "../age.ts";
import type { Ledger } from "../ledger.ts";
import { addMember, awaitMembership, foundTeam, recipientIn } from "../membership.ts";
import { MemoryDatabase, MemoryLedger } from "../memory-ledger.ts";
import { teamContext } from "../open-team.ts";
import type { TeamContext } from "../team-context.ts";
import type { TeamFile } from "../team-file.ts";
import { TeamStore } from "../team-store.ts";

const never = new AbortController().signal;

export interface Person {
  readonly context: TeamContext;
  readonly root: string;
  /** As a new command sees it. */
  open(): TeamStore;
  /** What was said to them. */
  readonly said: string[];
}

export class TeamScene {
  readonly database: MemoryDatabase;
  readonly #openLedger: () => Promise<Ledger>;
  readonly #team = crypto.randomUUID();
  readonly #clock: Clock;
  #founder: Person | undefined;

  /** @param openLedger another person's ledger; one of memory unless given */
  constructor(clock: Clock = systemClock, openLedger?: () => Promise<Ledger>) {
    this.#clock = clock;
    this.database = new MemoryDatabase(clock);
    this.#openLedger = openLedger ?? (async () => new MemoryLedger(this.database));
  }

  /** Founds the team, or joins it. */
  async person(name: string): Promise<Person> {
    const person = await this.stranger(name);
    if (this.#founder === undefined) {
      await foundTeam(person.context, never);
      this.#founder = person;
    } else {
      await addMember(this.#founder.context, name, await recipientIn(person.context), never);
      await awaitMembership(person.context, 0, never);
    }
    return person;
  }

  /** With everything but membership. */
  async stranger(name: string): Promise<Person> {
    const root = path.join(temporaryFolder(), "store");
    const identity = await newIdentity();
    const said: string[] = [];
    const file: TeamFile = { version: 1, url: "memory", team: this.#team, member: name, identity: "value" };
    const context: TeamContext = {
      ...teamContext(
        {
          root,
          clock: this.#clock,
          by: `${name}@${name}-pc`,
          report: (event: ProgressEvent) => void (event.type === "log" && said.push(event.text)),
          resolveSecret: async () => identity,
          reachOf: async (driverName) => (driverName === "local" ? "here" : driverName === "plugin" ? "unknown" : "everybody"),
        },
        file,
      ),
      openLedger: this.#openLedger,
    };
    const open = (): TeamStore => TeamStore.open(context);
    return { context, root, open, said };
  }
}

export const request: LockRequest = { purpose: "test web", waitMs: 0 };

export function put({ root }: Person, file: string, text: string): void {
  writeText(path.join(root, file), text);
}

export function found({ root }: Person, file: string): string | undefined {
  return textIfExists(path.join(root, file));
}

/** A machine as a driver leaves it: with paths of this computer. */
export async function create(person: Person, name = "web"): Promise<TeamStore> {
  const store = person.open();
  await using _lock = await store.lockMachine(name, request);
  const driverConfigText = JSON.stringify({ SSHKeyPath: path.join(store.machineDir(name), "id_ed25519"), StorePath: store.root });
  await store.create(newRecord(name, { driverName: "cloud", driverConfigText }));
  return store;
}

export async function changed(store: TeamStore, driverName: string): Promise<void> {
  await store.save({ ...(await store.load("web")), driverName });
  await store.publish("web");
}
