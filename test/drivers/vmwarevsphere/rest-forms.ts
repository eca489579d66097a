/** Requests of vCenter's newer REST API, `/api`, as the older one, `/rest`, that the simulator knows. */

export interface OldForm {
  readonly path: string;
  readonly body: string;
}

/** Undefined for what `/api` does not have. */
export function apiToRest(method: string, url: URL, body: string): OldForm | undefined {
  const rows: readonly (readonly [string, RegExp, (found: readonly string[]) => OldForm])[] = [
    ["POST", /^\/api\/session$/u, () => ({ path: "/rest/com/vmware/cis/session", body: "" })],
    ["DELETE", /^\/api\/session$/u, () => ({ path: "/rest/com/vmware/cis/session", body: "" })],
    [
      "POST",
      /^\/api\/content\/(library|library\/item)\?action=find$/u,
      ([, what]) => ({ path: `/rest/com/vmware/content/${what}?~action=find`, body: `{"spec":${body}}` }),
    ],
    [
      "POST",
      /^\/api\/vcenter\/ovf\/library-item\/([^/?]+)\?action=deploy$/u,
      ([, id]) => ({ path: `/rest/com/vmware/vcenter/ovf/library-item/id:${id}?~action=deploy`, body }),
    ],
    [
      "POST",
      /^\/api\/cis\/tagging\/tag-association\/([^/?]+)\?action=attach$/u,
      ([, id]) => ({ path: `/rest/com/vmware/cis/tagging/tag-association/id:${id}?~action=attach`, body }),
    ],
  ];
  for (const [verb, pattern, form] of rows) {
    const found = verb === method ? pattern.exec(`${url.pathname}${url.search}`) : null;
    if (found !== null) return form([...found]);
  }
  return undefined;
}
