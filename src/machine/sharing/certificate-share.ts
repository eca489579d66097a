/**
 * `share --tls`: a client certificate for a guest's own key, for tools that cannot speak SSH. An engine knows no list of revoked
 * ones, and believes all of the store's authority: what was given ends by its own date alone. Nothing of it is secret.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import type { GivenCertificate } from "../../store/host-record.ts";
import type { PublicKey } from "../../ssh/public-key.ts";
import { tlsKeyOf } from "../../ssh/tls-key.ts";
import { readFileIfExists } from "../../system/files.ts";
import { createGuestCertificate } from "../../tls/guest-certificate.ts";
import type { Host } from "../host/host.ts";
import { isOverSsh } from "../host/engine-transport.ts";
import { openHost } from "../host/open-host.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { authorityPathsOf } from "../host/provision-request.ts";
import { requireSharable } from "./sharable.ts";

export const longestCertificateMs = 24 * 3_600_000;

export interface CertificateRequest {
  readonly person: string;
  readonly key: PublicKey;
  /** Milliseconds from now on; {@link longestCertificateMs} at most. */
  readonly forMs: number;
}

/** PEM texts; with the guest's own key they are what docker's client reads from a folder. */
export interface SharedByCertificate {
  readonly name: string;
  readonly url: string;
  readonly ca: string;
  readonly certificate: string;
  readonly until: Date;
}

/** As {@link shareByCertificate} throws, before a person is asked. */
export async function requireCertifiableMachine(context: MachineContext, name: string, key: PublicKey): Promise<void> {
  requireTlsKey(key);
  await using host = await openHost(context, name);
  await requireCertifiable(host);
}

function requireTlsKey(key: PublicKey): ReturnType<typeof tlsKeyOf> & {} {
  const publicKey = tlsKeyOf(key);
  if (publicKey !== undefined) return publicKey;
  throw new MachineError("usage", `A key of the type ${key.type} serves no TLS client`, {
    hint: "The guest makes one with: ssh-keygen -t ecdsa -m PEM -N '' -f key.pem, and gives key.pem.pub.",
  });
}

async function requireCertifiable(host: Host): Promise<void> {
  requireSharable(host);
  await requireCreated(host);
  if (!isOverSsh(host)) return;
  throw new MachineError(
    "driver-unsupported",
    `The engine of "${host.name}" is reached over SSH alone, and takes no certificates`,
    {
      hint: "Share it without --tls.",
    },
  );
}

/** Throws `usage` for a key that no TLS client could use, `driver-unsupported` for an engine without TLS. The host is not asked. */
export async function shareByCertificate(
  context: MachineContext,
  name: string,
  { person, key, forMs }: CertificateRequest,
  signal: AbortSignal,
): Promise<SharedByCertificate> {
  const publicKey = requireTlsKey(key);
  await using _lock = await lockMachine(context, name, "share", signal);
  await using host = await openHost(context, name);
  await requireCertifiable(host);
  const url = await host.driver.getUrl();
  const now = context.clock.now();
  const until = new Date(Math.floor((now.getTime() + forMs) / 1_000) * 1_000);
  const paths = authorityPathsOf(host);
  const { certificate, fingerprint } = await createGuestCertificate({ paths, person, publicKey, now, until });
  const ca = (await readFileIfExists(path.join(host.dir, "ca.pem")))?.toString("utf8");
  if (ca === undefined)
    throw new MachineError("certificate-invalid", `${host.dir}/ca.pem is missing`, {
      hint: `docker-machine regenerate-certs ${name}`,
    });
  const given: GivenCertificate = {
    Person: person,
    Since: now.toISOString(),
    Until: until.toISOString(),
    Fingerprint: fingerprint,
  };
  host.record.extra.GuestCertificates = [...livingCertificates(host.record.extra.GuestCertificates, now), given];
  await host.save();
  return { name, url, ca, certificate, until };
}

/** Those whose time is not over. */
export function livingCertificates(given: readonly GivenCertificate[] | undefined, now: Date): GivenCertificate[] {
  return (given ?? []).filter(({ Until }) => new Date(Until) > now);
}

/** What is told of who was to be shut out, and holds certificates. */
export function cannotRevoke(name: string, given: readonly GivenCertificate[]): MachineError {
  const each = given.map(({ Person, Until }) => `${Person}'s until ${Until}`).join(", ");
  return new MachineError("machine-state", `An engine knows no list of revoked certificates: "${name}" takes ${each}`, {
    hint: "To end them now the store needs another authority: move certs/ away, then docker-machine regenerate-certs for each machine.",
  });
}
