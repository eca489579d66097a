import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { isLoopbackHost, proxyCredentials, proxyFor } from "./proxy-choice.ts";

const proxy = "http://proxy.test:3128";

function isProxied(url: string, noProxy: string): boolean {
  return proxyFor(new URL(url), { HTTPS_PROXY: proxy, http_proxy: proxy, NO_PROXY: noProxy }) !== undefined;
}

test("each protocol has its variable, in either case; without it, and for loopback, nothing is proxied", () => {
  const [secure, plain] = [new URL("https://api.test/x"), new URL("http://api.test/x")];
  assert.equal(proxyFor(secure, { HTTPS_PROXY: proxy })?.href, `${proxy}/`);
  assert.equal(proxyFor(secure, { https_proxy: "proxy.test:3128" })?.href, `${proxy}/`);
  assert.equal(proxyFor(secure, { HTTPS_PROXY: "", https_proxy: proxy })?.href, `${proxy}/`);
  assert.equal(proxyFor(secure, { HTTP_PROXY: proxy }), undefined);
  assert.equal(proxyFor(plain, { HTTP_PROXY: proxy })?.href, `${proxy}/`);
  assert.equal(proxyFor(plain, { HTTPS_PROXY: proxy }), undefined);
  for (const host of ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
    assert.equal(proxyFor(new URL(`https://${host}:1/`), { HTTPS_PROXY: proxy }), undefined, host);
});

test("NO_PROXY is a list of names, addresses and ranges, as Go reads it", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["https://api.test/", "", true],
    ["https://api.test/", "*", false],
    ["https://api.test/", "other.test, api.test", false],
    ["https://API.test./", "api.TEST", false],
    ["https://v1.api.test/", "api.test", false],
    ["https://myapi.test/", "api.test", true],
    ["https://api.test/", ".api.test", true],
    ["https://v1.api.test/", ".api.test", false],
    ["https://v1.api.test/", "*.api.test", false],
    ["https://api.test/", "api.test:443", false],
    ["https://api.test/", "api.test:8443", true],
    ["http://api.test/", "api.test:80", false],
    ["https://10.1.2.3/", "10.0.0.0/8", false],
    ["https://11.1.2.3/", "10.0.0.0/8", true],
    ["https://10.1.2.3/", "10.1.2.3", false],
    ["https://10.1.2.3:8443/", "10.1.2.3:8443", false],
    ["https://10.1.2.30/", "10.1.2.3", true],
    ["https://[2001:db8::1]/", "2001:db8::/32", false],
    ["https://[2001:db8::1]/", "2001:db8:0::1", false],
    ["https://[2001:db8::1]:8443/", "[2001:db8::1]:8443", false],
    ["https://[2001:db9::1]/", "2001:db8::/32", true],
    ["https://api.test/", "10.0.0.0/8,nonsense/99,,", true],
  ];
  for (const [url, list, wanted] of cases) assert.equal(isProxied(url, list), wanted, `${url} with ${JSON.stringify(list)}`);
});

test("a variable that is no proxy's address is refused by its name, without what may be a password", () => {
  for (const wrong of ["socks5://me:hush@proxy.test", "http://"])
    assert.throws(
      () => proxyFor(new URL("https://api.test"), { HTTPS_PROXY: wrong }),
      (error) => isMachineError(error, "usage") && /HTTPS_PROXY/u.test(error.message) && !/hush/u.test(error.message),
    );
});

test("a proxy's name and password become its header", () => {
  assert.deepEqual(proxyCredentials(new URL(proxy)), {});
  const header = proxyCredentials(new URL("http://me:p%40ss@proxy.test"))["proxy-authorization"] ?? "";
  assert.equal(Buffer.from(header.replace("Basic ", ""), "base64").toString(), "me:p@ss");
});

test("only this computer is loopback", () => {
  assert.deepEqual(["127.0.0.1", "[::1]", "localhost"].map(isLoopbackHost), [true, true, true]);
  assert.deepEqual(["127.0.0.1.evil.test", "10.0.0.1", "localhost.evil.test", "[::2]"].map(isLoopbackHost), Array(4).fill(false));
});
