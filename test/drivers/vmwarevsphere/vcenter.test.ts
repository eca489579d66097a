/** The stand-in itself: what a real vCenter refuses, it refuses. Each rule is broken once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadXmlParser } from "../../../src/drivers/vmwarevsphere/api/xml.ts";
import { Description } from "./description.ts";
import { vcenterFlags } from "./scene.ts";
import { FakeVcenter } from "./vcenter.ts";
import { password, user, vcsimMissing } from "./vcsim.ts";
import { readStreamOptimized } from "./vmdk-reading.ts";

const namespaces =
  'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"';

async function problemOf(xml: string): Promise<string | undefined> {
  const parse = await loadXmlParser();
  return Description.load().problemOf(parse(xml.replace(/^<(\w+)/u, `<$1 xmlns="urn:vim25" ${namespaces}`)));
}

/** Asks without any checks of certificates, as no driver does. */
async function ask(
  vcenter: FakeVcenter,
  path: string,
  init: { method?: string; body?: string; headers?: Record<string, string> } = {},
) {
  const { request } = await import("node:https");
  return await new Promise<{ status: number; text: string; cookie: string }>((resolve, reject) => {
    const { method = "POST", body = "", headers = {} } = init;
    const length = { "content-length": String(Buffer.byteLength(body)) };
    const sent = request(
      { host: "127.0.0.1", port: vcenter.port, path, method, headers: { ...length, ...headers }, ca: vcenter.ca },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => void (text += chunk.toString()));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, text, cookie: answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "" }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function envelope(call: string): string {
  return `<soapenv:Envelope ${namespaces}><soapenv:Body>${call.replace(/^<(\w+)/u, '<$1 xmlns="urn:vim25"')}</soapenv:Body></soapenv:Envelope>`;
}

async function logIn(vcenter: FakeVcenter, given = password) {
  const call = `<Login><_this type="SessionManager">SessionManager</_this><userName>${user}</userName><password>${given}</password></Login>`;
  return await ask(vcenter, "/sdk", { body: envelope(call) });
}

describe("the stand-in for vCenter", { skip: vcsimMissing }, () => {
  test("holds requests against vSphere's description", async () => {
    const vm = '<_this type="VirtualMachine">vm-1</_this>';
    const reconfigure = (spec: string): string => `<ReconfigVM_Task>${vm}<spec>${spec}</spec></ReconfigVM_Task>`;
    const device = (inner: string, type = ' xsi:type="VirtualCdrom"'): string =>
      reconfigure(
        `<deviceChange xsi:type="VirtualDeviceConfigSpec"><operation>add</operation><device${type}>${inner}</device></deviceChange>`,
      );
    const disc = '<key>-1</key><backing xsi:type="VirtualCdromIsoBackingInfo"><fileName>x</fileName></backing>';
    const cases: readonly (readonly [string, RegExp | undefined])[] = [
      [reconfigure("<name>a</name><memoryMB>1</memoryMB>"), undefined],
      [reconfigure("<memoryMB>1</memoryMB><name>a</name>"), /name stands behind memoryMB/u],
      [reconfigure("<name>a</name><name>b</name>"), /name stands there twice/u],
      [reconfigure("<nmae>a</nmae>"), /has no member nmae/u],
      [reconfigure("<extraConfig><key>a</key></extraConfig>"), /xsi:type/u],
      [reconfigure('<extraConfig xsi:type="OptionValue"><key>a</key></extraConfig>'), /lacks value/u],
      [
        reconfigure('<extraConfig xsi:type="OptionValue"><key>a</key><value>b</value></extraConfig>'),
        /value does not say its xsi:type/u,
      ],
      [device(disc), undefined],
      [device(disc, ""), /device does not say its xsi:type/u],
      [device(disc, ' xsi:type="OptionValue"'), /OptionValue is no VirtualDevice/u],
      [device(disc.replace("<key>-1</key>", "")), /lacks key/u],
      ["<PowerOnVM_Task><_this>vm-1</_this></PowerOnVM_Task>", /no type of its object/u],
      ['<PowerOnVM_Task><_this type="VirtualMachine"></_this></PowerOnVM_Task>', /names no object/u],
      ["<PowerOnVM_Task/>", /lacks _this/u],
      ["<Nonsense/>", /is no method/u],
    ];
    for (const [xml, problem] of cases) {
      const found = await problemOf(xml);
      if (problem === undefined) assert.equal(found, undefined, xml);
      else assert.match(found ?? "nothing", problem, xml);
    }
  });

  test("checks passwords on both of its APIs, and ends sessions", async () => {
    await using vcenter = await FakeVcenter.start();
    assert.match((await logIn(vcenter, "wrong")).text, /InvalidLogin/u);
    const { status, cookie } = await logIn(vcenter);
    assert.equal(status, 200);
    const call =
      '<FindByInventoryPath><_this type="SearchIndex">SearchIndex</_this><inventoryPath>DC0</inventoryPath></FindByInventoryPath>';
    const find = async () => (await ask(vcenter, "/sdk", { body: envelope(call), headers: { cookie } })).text;
    assert.match(await find(), /datacenter-/u);
    vcenter.endSessions();
    assert.match(await find(), /NotAuthenticated/u);
    const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}` });
    assert.equal((await ask(vcenter, "/api/session", { headers: basic("wrong") })).status, 401);
    assert.equal((await ask(vcenter, "/api/session", { headers: basic(password) })).status, 200);
    Object.assign(vcenter, { hasApi: false });
    assert.equal((await ask(vcenter, "/api/session", { headers: basic(password) })).status, 404);
    assert.equal((await ask(vcenter, "/rest/com/vmware/cis/session", { headers: basic(password) })).status, 200);
    assert.deepEqual(vcenter.violations, []);
  });

  test("notes what a real one would not take, and a password that is sent again", async () => {
    await using vcenter = await FakeVcenter.start();
    const { cookie } = await logIn(vcenter);
    const send = async (call: string) => await ask(vcenter, "/sdk", { body: envelope(call), headers: { cookie } });
    await send(
      `<FindByInventoryPath><_this type="SearchIndex">SearchIndex</_this><inventoryPath>${password}</inventoryPath></FindByInventoryPath>`,
    );
    assert.equal((await send("<PowerOnVM_Task/>")).status, 500);
    assert.equal(
      (await ask(vcenter, "/folder/web/x.iso?dcPath=DC0&dsName=LocalDS_0", { method: "PUT", headers: {} })).status,
      401,
    );
    assert.equal(
      (await ask(vcenter, "/folder/web/x.iso?dcPath=DC9&dsName=LocalDS_0", { method: "PUT", headers: { cookie } })).status,
      404,
    );
    assert.deepEqual(vcenter.violations, ["FindByInventoryPath holds the password", "PowerOnVM_Task lacks _this"]);
  });

  test("keeps names apart, where the simulator does not", async () => {
    await using vcenter = await FakeVcenter.start();
    const { cookie } = await logIn(vcenter);
    const { vms } = await vcenter.state();
    const [source] = vms;
    const spec = "<spec><location></location><template>false</template><powerOn>false</powerOn></spec>";
    const clone = `<CloneVM_Task><_this type="VirtualMachine">${source?.ref}</_this><folder type="Folder">${source?.folder}</folder><name>${source?.name}</name>${spec}</CloneVM_Task>`;
    const { text } = await ask(vcenter, "/sdk", { body: envelope(clone), headers: { cookie } });
    const task = /type="Task">([^<]+)/u.exec(text)?.[1] ?? "";
    const collect = `<RetrievePropertiesEx><_this type="PropertyCollector">propertyCollector</_this><specSet><propSet><type>Task</type><pathSet>info</pathSet></propSet><objectSet><obj type="Task">${task}</obj></objectSet></specSet><options></options></RetrievePropertiesEx>`;
    assert.match((await ask(vcenter, "/sdk", { body: envelope(collect), headers: { cookie } })).text, /DuplicateName/u);
    assert.equal((await vcenter.state()).vms.length, vms.length);
    assert.deepEqual(vcenter.violations, []);
  });

  test("takes no disk that is not a streamOptimized VMDK", () => {
    assert.throws(() => readStreamOptimized(Buffer.alloc(1024)), /magic/u);
    const head = Buffer.alloc(1024);
    head.write("KDMV");
    head.writeUInt32LE(3, 4);
    assert.throws(() => readStreamOptimized(head), /compressed grains/u);
  });

  test("its certificate is its own", async () => {
    await using vcenter = await FakeVcenter.start();
    const before = vcenter.thumbprint;
    assert.equal((await vcenterFlags(vcenter))["vmwarevsphere-tls-thumbprint"], before);
    await vcenter.changeCertificate();
    assert.notEqual(vcenter.thumbprint, before);
    await assert.rejects(ask(vcenter, "/sdk"), /certificate|signature/u);
  });
});
