/** Answers that the proxy gives by itself. */
import type { ServerResponse } from "node:http";
import type { Fault } from "./vcenter.ts";

/** The properties of a task that failed. */
export function failedTask(id: string, { fault, members = "" }: Fault): string {
  const error = `<error><fault xsi:type="${fault ?? ""}">${members}</fault><localizedMessage></localizedMessage></error>`;
  const info = `<val xsi:type="TaskInfo"><key>${id}</key><task type="Task">${id}</task><state>error</state>${error}</val>`;
  const object = `<objects><obj type="Task">${id}</obj><propSet><name>info</name>${info}</propSet></objects>`;
  return `<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>${object}</returnval></RetrievePropertiesExResponse>`;
}

export function sendXml(response: ServerResponse, status: number, body: string): void {
  const namespaces =
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope ${namespaces}><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
  response.writeHead(status, { "content-type": "text/xml; charset=utf-8" }).end(text);
}
