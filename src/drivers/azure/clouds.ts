/** Azure's clouds: the public one and those that are apart from it, each with addresses of its own. No I/O. */
import { MachineError } from "../../errors/machine-error.ts";

export interface Cloud {
  /** Of the resource manager; tokens are for it too. */
  readonly manager: string;
  /** Where tokens are made. */
  readonly authority: string;
}

/** As 0.16.2 names them; `az cloud list` tells the addresses. */
const clouds: Readonly<Record<string, Cloud>> = {
  AzurePublicCloud: { manager: "https://management.azure.com", authority: "https://login.microsoftonline.com" },
  AzureUSGovernmentCloud: { manager: "https://management.usgovcloudapi.net", authority: "https://login.microsoftonline.us" },
  AzureChinaCloud: { manager: "https://management.chinacloudapi.cn", authority: "https://login.chinacloudapi.cn" },
};

/** Throws `driver-options` in 0.16.2's words. */
export function cloudNamed(name: string): Cloud {
  const known = Object.keys(clouds).find((one) => one.toLowerCase() === name.toLowerCase());
  const cloud = known === undefined ? undefined : clouds[known];
  if (cloud !== undefined) return cloud;
  const supported = Object.keys(clouds).join(", ");
  throw new MachineError("driver-options", `Invalid Azure environment: ${JSON.stringify(name)}, supported values: ${supported}`, {
    hint: "Choose one of them with --azure-environment. AzureGermanCloud was closed in 2021.",
  });
}

/** Whether it makes tokens for one of them. */
export function isKnownAuthority(url: string): boolean {
  const given = url.replace(/\/+$/u, "").toLowerCase();
  return Object.values(clouds).some(({ authority }) => authority === given);
}
