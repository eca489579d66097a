/** The command line is not understood. Kept apart from other errors because help is printed with it. */
import { MachineError, type MachineErrorOptions } from "../errors/machine-error.ts";

export interface UsageErrorOptions extends MachineErrorOptions {
  /** Print the command's help first, to standard output, as 0.16.2 does for some of its errors. */
  readonly showHelp?: boolean;
}

export class UsageError extends MachineError {
  readonly showHelp: boolean;

  constructor(message: string, options: UsageErrorOptions = {}) {
    super("usage", message, options);
    this.showHelp = options.showHelp ?? false;
  }
}

/** A flag that cannot be parsed. Printed with "Incorrect Usage." and help; 0.16.2 exits 0 after most of them. */
export class FlagError extends UsageError {
  constructor(message: string, hint?: string) {
    super(message, { showHelp: true, hint });
  }
}
