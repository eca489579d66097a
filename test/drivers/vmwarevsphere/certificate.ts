/** Who signs, and what a vCenter shows: for all of a process, since keys take time. */
import { TestAuthority, type TestPair } from "../../../src/tls/testing/pki.ts";

export interface Certified {
  readonly authority: TestAuthority;
  readonly pair: TestPair;
}

let made: Promise<Certified> | undefined;

export async function certified(): Promise<Certified> {
  made ??= certify();
  return await made;
}

async function certify(): Promise<Certified> {
  const authority = await TestAuthority.create();
  return { authority, pair: await authority.issueServer("127.0.0.1") };
}
