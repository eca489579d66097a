/** `--google-accelerator`, in GitLab's spelling. No I/O. */
import { MachineError } from "../../errors/machine-error.ts";

export interface Accelerator {
  readonly count: number;
  /** `nvidia-tesla-t4`. */
  readonly type: string;
}

/** Throws `driver-options`. */
export function parseAccelerator(given: string): Accelerator {
  const fields = Object.fromEntries(given.split(",").map((part) => part.trim().split("=", 2)));
  const { count = "", type = "" } = fields as Readonly<Record<string, string>>;
  if (/^[1-9]\d{0,2}$/u.test(count) && /^[a-z0-9-]+$/u.test(type) && Object.keys(fields).length === 2)
    return { count: Number(count), type };
  throw new MachineError("driver-options", `--google-accelerator ${JSON.stringify(given)} is not understood`, {
    hint: "Write it as count=1,type=nvidia-tesla-t4; gcloud compute accelerator-types list shows the types.",
  });
}
