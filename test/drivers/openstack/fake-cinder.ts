/** Cinder of the fake: volumes that take their time, and are removed only while no server has them. */
import { randomUUID } from "node:crypto";
import { fieldsOf, ok, refusedByNova, routed, textOf, type Answer, type Exchange, type Json, type Route } from "./answers.ts";
import { projectId, volumeTypes } from "./catalogue.ts";
import { paged, type Shelf } from "./shelf.ts";

export interface FakeVolume {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly metadata: Json;
  /** A server's root, which goes with it. */
  readonly isRoot: boolean;
  status: string;
  /** Id of the server that has it. */
  server: string;
  /** How many looks until what it is at is done. */
  looks: number;
}

export class FakeCinder {
  readonly volumes = new Map<string, FakeVolume>();
  /** GiB of all volumes. */
  gigabytes = 1_000;
  /** Volumes that are made from now on end in this status. */
  endsAs = "available";
  /** How often a volume is told to be at work. */
  looks = 1;
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  add(name: string, size: number, more: Partial<FakeVolume> = {}): FakeVolume {
    const volume: FakeVolume = {
      id: randomUUID(),
      name,
      size,
      type: "slow",
      metadata: {},
      isRoot: false,
      status: "available",
      server: "",
      looks: 0,
      ...more,
    };
    this.volumes.set(volume.id, volume);
    return volume;
  }

  /** A server is gone: what it had is free again. */
  release(server: string): void {
    for (const volume of this.volumes.values())
      if (volume.server === server) Object.assign(volume, { server: "", status: "available" });
  }

  readonly #routes: readonly Route[] = [
    [/^GET \/types$/u, ({ query }) => ok(paged(this.#shelf, "volume_types", volumeTypes, query))],
    [/^GET \/volumes\/detail$/u, (exchange) => this.#list(exchange)],
    [/^POST \/volumes$/u, ({ body }) => this.#make(fieldsOf(fieldsOf(body)["volume"]))],
    [/^GET \/volumes\/([^/]+)$/u, (_e, id) => this.#show(id)],
    [/^DELETE \/volumes\/([^/]+)$/u, (_e, id) => this.#remove(id)],
  ];

  async answer(exchange: Exchange): Promise<Answer | undefined> {
    return await routed(this.#routes, exchange);
  }

  #list({ query }: Exchange): Answer {
    const name = query.get("name");
    const found = [...this.volumes.values()].filter((volume) => name === null || volume.name === name);
    return ok(paged(this.#shelf, "volumes", found.map(formOf), query));
  }

  #make({ name, size, metadata, volume_type: type }: Json): Answer {
    if (type !== undefined && !volumeTypes.some((each) => each.name === type || each.id === type))
      return refusedByNova(404, `Volume type ${textOf(type)} could not be found.`);
    const used = [...this.volumes.values()].reduce((sum, each) => sum + each.size, 0);
    if (used + Number(size) > this.gigabytes)
      return refusedByNova(
        413,
        `VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested ${String(size)}G, quota is ${this.gigabytes}G and ${used}G has been consumed.`,
      );
    const made = this.add(textOf(name), Number(size), {
      metadata: fieldsOf(metadata),
      type: textOf(type) || "slow",
      status: "creating",
      looks: this.looks,
    });
    // Whose it is, is told of those that are there.
    const { "os-vol-tenant-attr:tenant_id": _project, ...told } = formOf(made);
    return ok({ volume: told }, 202);
  }

  #show(id: string): Answer {
    const volume = this.volumes.get(id);
    if (volume !== undefined) this.#pass(volume);
    return this.volumes.has(id) && volume !== undefined ? ok({ volume: formOf(volume) }) : unknown(id);
  }

  #pass(volume: FakeVolume): void {
    if (volume.looks > 0) return void (volume.looks -= 1);
    if (volume.status === "creating") volume.status = this.endsAs;
    if (volume.status === "deleting") this.volumes.delete(volume.id);
  }

  #remove(id: string): Answer {
    const volume = this.volumes.get(id);
    if (volume === undefined) return unknown(id);
    if (!["available", "error"].includes(volume.status))
      return refusedByNova(
        400,
        "Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.",
      );
    Object.assign(volume, { status: "deleting", looks: this.looks });
    return { status: 202 };
  }
}

function unknown(id: string): Answer {
  return refusedByNova(404, `Volume ${id} could not be found.`);
}

function formOf({ id, name, size, type, metadata, status, server }: FakeVolume): Json {
  const attachments = server === "" ? [] : [{ server_id: server, volume_id: id, device: "/dev/vdb" }];
  const more = {
    description: null,
    bootable: "false",
    encrypted: false,
    multiattach: false,
    availability_zone: "nova",
    snapshot_id: null,
  };
  return {
    id,
    name,
    size,
    status,
    volume_type: type,
    metadata,
    attachments,
    ...more,
    created_at: "2026-11-01T00:00:00.000000",
    "os-vol-tenant-attr:tenant_id": projectId,
  };
}
