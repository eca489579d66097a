/** A person's age identity on this computer, where they have named no other. */
import { makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../system/files.ts";
import * as path from "node:path";
import { newIdentity } from "./age.ts";

/** Sees to it that there is one, readable by the person alone. */
export async function ensureIdentity(file: string): Promise<void> {
  if ((await readRegularFileIfExists(file)) !== undefined) return;
  await makePrivateDirectory(path.dirname(file));
  await writeFileAtomic(file, `${await newIdentity()}\n`, 0o600);
}
