/** Create flags between their form here and their form in the protocol. */
import type { CreateFlag } from "../driver-kit/create-flag.ts";
import type { PluginFlag } from "./protocol.ts";

/** The flag that a plugin declares; nothing for Go's nil. */
export function createFlagOf(flag: PluginFlag | null): CreateFlag[] {
  if (flag === null) return [];
  const { Name, Usage, EnvVar } = flag.value;
  const common = { name: Name, usage: Usage, ...(EnvVar === "" ? {} : { envVar: EnvVar }) };
  switch (flag.type) {
    case "*mcnflag.StringFlag":
      return [{ ...common, kind: "string", value: flag.value.Value }];
    case "*mcnflag.IntFlag":
      return [{ ...common, kind: "int", value: Number(flag.value.Value) }];
    case "*mcnflag.BoolFlag":
      return [{ ...common, kind: "bool" }];
    case "*mcnflag.StringSliceFlag":
      return [{ ...common, kind: "strings", value: flag.value.Value }];
  }
}

/** The form in which a driver of ours declares a flag to a Go tool. */
export function pluginFlagOf(flag: CreateFlag): PluginFlag {
  const common = { Name: flag.name, Usage: flag.usage, EnvVar: flag.envVar ?? "" };
  switch (flag.kind) {
    case "string":
      return { type: "*mcnflag.StringFlag", value: { ...common, Value: flag.value ?? "" } };
    case "int":
      return { type: "*mcnflag.IntFlag", value: { ...common, Value: flag.value ?? 0 } };
    case "bool":
      return { type: "*mcnflag.BoolFlag", value: common };
    case "strings":
      return { type: "*mcnflag.StringSliceFlag", value: { ...common, Value: flag.value ?? [] } };
  }
}
