/** Where EC2 and SSM are asked: at AWS, or at an endpoint that the user gave. No I/O. */
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import type { Amazonec2Config } from "./options.ts";

type EndpointFields = Pick<Amazonec2Config, "Endpoint" | "DisableSSL">;

/** Undefined: AWS's own of the region. Throws `driver-options` for plain http that nobody asked for. */
export function endpointOf({ Endpoint, DisableSSL }: EndpointFields): string | undefined {
  if (Endpoint === "") return undefined;
  const given = /^https?:\/\//u.test(Endpoint) ? Endpoint : `${DisableSSL ? "http" : "https"}://${Endpoint}`;
  const url = new URL(given);
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/u.test(url.hostname);
  if (url.protocol === "https:" || DisableSSL || isLoopback) return given;
  throw new MachineError(
    "driver-options",
    `--amazonec2-endpoint ${Endpoint} is plain http, over which anybody on the way reads what is sent`,
    {
      hint: "Give an https address, or --amazonec2-insecure-transport to do it all the same.",
    },
  );
}

/** Undefined: AWS's own. Null: none, since an endpoint of EC2's need have no SSM, and AWS's knows nothing of what is behind it. */
export function ssmEndpointOf(config: EndpointFields, { env }: Computer): string | undefined | null {
  const given = env["AWS_ENDPOINT_URL_SSM"] ?? env["AWS_ENDPOINT_URL"];
  if (given !== undefined && given !== "") return given;
  return config.Endpoint === "" ? undefined : null;
}
