/**
 * Tables of a team's store in PostgreSQL, and the one function that changes them: a change is one statement, so that a
 * pooler may stand between, and a round trip. Leases are rows with an end by the server's clock; locks of a session are not
 * used, which a pooler keeps for others.
 */

/** Statements that make what is missing. @param schema a plain name */
export function schemaStatements(schema: string): readonly string[] {
  const s = `"${schema}"`;
  return [
    `create schema if not exists ${s}`,
    `create table if not exists ${s}.head (one boolean primary key default true check (one), revision bigint not null)`,
    `insert into ${s}.head (revision) values (0) on conflict do nothing`,
    `create table if not exists ${s}.lease (id text primary key, ends timestamptz not null)`,
    `create table if not exists ${s}.entry (
       key text collate "C" primary key,
       value text,
       revision bigint not null,
       lease text references ${s}.lease on delete cascade,
       changed timestamptz not null)`,
    `create index if not exists entry_revision on ${s}.entry (revision)`,
    `create table if not exists ${s}.token (token text primary key, revision bigint not null, at timestamptz not null)`,
    commitFunction(s),
  ];
}

/** Takes the head first, so that changes have an order, and that of their revisions. */
function commitFunction(s: string): string {
  return `create or replace function ${s}.commit_change(asked text, required jsonb, puts jsonb, removed jsonb, looked jsonb,
      trace_days int)
    returns jsonb language plpgsql as $$
    declare
      at_revision bigint;
      known bigint;
      found jsonb;
      stood jsonb;
      present timestamptz;
    begin
      select head.revision into at_revision from ${s}.head for update;
      present := clock_timestamp();
      select token.revision into known from ${s}.token where token.token = asked;
      delete from ${s}.lease where ends <= present;
      select coalesce(jsonb_agg(jsonb_build_object('key', key, 'value', value, 'revision', revision)), '[]') into stood
        from ${s}.entry where key in (select jsonb_array_elements_text(looked)) and value is not null;
      if known is not null then return jsonb_build_object('revision', known, 'found', stood); end if;
      select jsonb_agg(jsonb_build_object('key', r.key, 'value', e.value, 'revision', coalesce(e.revision, 0))) into found
        from jsonb_to_recordset(required) as r(key text, revision bigint)
        left join ${s}.entry e on e.key = r.key and e.value is not null
        where coalesce(e.revision, 0) <> r.revision;
      if found is not null then return jsonb_build_object('conflicts', found); end if;
      if exists (select from jsonb_to_recordset(puts) as p(lease text)
          where p.lease is not null and not exists (select from ${s}.lease l where l.id = p.lease)) then
        return jsonb_build_object('lost', true);
      end if;
      at_revision := at_revision + 1;
      update ${s}.head set revision = at_revision;
      insert into ${s}.entry (key, value, revision, lease, changed)
        select p.key, p.value, at_revision, p.lease, present from jsonb_to_recordset(puts) as p(key text, value text, lease text)
        on conflict (key) do update
          set value = excluded.value, revision = excluded.revision, lease = excluded.lease, changed = excluded.changed;
      update ${s}.entry set value = null, lease = null, revision = at_revision, changed = present
        where key in (select jsonb_array_elements_text(removed)) and value is not null;
      insert into ${s}.token values (asked, at_revision, present);
      delete from ${s}.token where at < present - interval '1 hour';
      delete from ${s}.entry where value is null and changed < present - make_interval(days => trace_days);
      return jsonb_build_object('revision', at_revision, 'found', stood);
    end $$`;
}
