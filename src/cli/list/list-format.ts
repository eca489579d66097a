/** The text of `ls`: a Go template for each row, in columns when the format begins with `table`. Pure text. */
import { tabulate, listTable } from "../../gocompat/tabwriter.ts";
import { executeTemplate, parseTemplate, TemplateError, type Template } from "../../gocompat/template/template.ts";
import { mapOf, stringType, typedValue } from "../../gocompat/value.ts";
import { mentionedFields } from "../../gocompat/template/mentioned-fields.ts";
import type { ListDepth } from "../../machine/list.ts";
import { optionFields, templateValueOf, type HostListItem } from "./host-list-item.ts";

const tableWord = "table";
const defaultFormat =
  "table {{ .Name }}\t{{ .Active }}\t{{ .DriverName}}\t{{ .State }}\t{{ .URL }}\t{{ .Swarm }}\t{{ .DockerVersion }}\t{{ .Error}}";

/** What the first line of a table is made from: the same template, executed with the columns' titles. */
const titles = typedValue(mapOf(stringType), {
  Name: "NAME",
  Active: "ACTIVE",
  ActiveHost: "ACTIVE_HOST",
  ActiveSwarm: "ACTIVE_SWARM",
  DriverName: "DRIVER",
  State: "STATE",
  URL: "URL",
  SwarmOptions: "SWARM_OPTIONS",
  Swarm: "SWARM",
  EngineOptions: "ENGINE_OPTIONS",
  Error: "ERRORS",
  DockerVersion: "DOCKER",
  ResponseTime: "RESPONSE",
});

/** What every record has: the name, and the options with all that is in them. */
const recordedFields = ["Name", "SwarmOptions", "EngineOptions", ...optionFields];

/** A format of `ls`, checked before any machine is asked. */
export interface ListFormat {
  readonly template: Template;
  readonly isTable: boolean;
}

/** @param format as given; empty for the default. Throws `TemplateError`. In it `\t` and `\n` may be written out. */
export function parseListFormat(format: string): ListFormat {
  const chosen = format === "" ? defaultFormat : format;
  const isTable = chosen.startsWith(tableWord);
  const source = (isTable ? chosen.slice(tableWord.length) : chosen).replaceAll(/^ +| +$/gu, "");
  const unescaped = source.replaceAll(String.raw`\t`, "\t").replaceAll(String.raw`\n`, "\n");
  return { template: parseTemplate("", `${unescaped}\n`), isTable };
}

/** What must be looked at for what the format can show; a machine that did not answer in time has most columns empty. */
export function depthOf({ template }: ListFormat): ListDepth {
  const fields = mentionedFields(template);
  const isOf = (known: readonly string[]): boolean => fields !== undefined && [...fields].every((field) => known.includes(field));
  return isOf(recordedFields) ? "record" : isOf([...recordedFields, "DriverName"]) ? "driver" : "machine";
}

export interface ListText {
  /** What is to be printed, also when a row failed: the rows before it, and what there is of it. */
  readonly text: string;
  /** Why it ends early. */
  readonly error: TemplateError | undefined;
}

/** All rows. No functions are known to these templates but Go's own, as in 0.16.2. */
export function renderList({ template, isTable }: ListFormat, items: readonly HostListItem[]): ListText {
  let text = "";
  let error: TemplateError | undefined;
  try {
    if (isTable) text += executeTemplate(template, titles);
    for (const item of items) text += executeTemplate(template, templateValueOf(item));
  } catch (thrown) {
    if (!(thrown instanceof TemplateError)) throw thrown;
    text += thrown.output;
    error = thrown;
  }
  return { text: isTable ? tabulate(text, listTable) : text, error };
}
