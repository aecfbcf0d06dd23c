import { type Kysely, sql } from 'kysely';

/**
 * The first schema. Frozen: change it with a new migration, never here.
 * Instants are `timestamptz`, calendar dates are `date`; text of outside origin is stored as it came.
 */
// biome-ignore lint/suspicious/noExplicitAny: a migration must not depend on today's table types
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table papers (
      id bigint generated always as identity primary key,
      -- 'arxiv:2606.01234' | 'doi:10.1101/…' | 'page:<sha256 of title>' …: the identity the row was first stored under
      identity text not null unique,
      arxiv_id text unique,
      doi text unique,
      title text not null,
      abstract text not null,
      authors text[] not null default '{}',
      categories text[] not null default '{}',
      organisation text,
      keywords text[] not null default '{}',
      comment text,
      version integer,
      published_at timestamptz,
      url text,
      pdf_url text,
      code_url text,
      project_url text,
      thumbnail_url text,
      -- which source each field came from: {"title": "arxiv", …}
      provenance jsonb not null default '{}',
      withdrawn_at timestamptz,
      -- the first day any source listed it; null only while a row has no listing
      first_listed_on date,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index papers_first_listed_on on papers (first_listed_on desc)`.execute(db);
  await sql`create index papers_updated_at on papers (updated_at)`.execute(db);

  // Every name a paper is known by; two sources meet in one row when any identifier is shared.
  await sql`
    create table paper_identifiers (
      identifier text primary key,
      paper_id bigint not null references papers on delete cascade
    )`.execute(db);
  await sql`create index paper_identifiers_paper on paper_identifiers (paper_id)`.execute(db);

  await sql`
    create table listings (
      id bigint generated always as identity primary key,
      paper_id bigint not null references papers on delete cascade,
      source text not null,
      listed_on date not null,
      kind text not null check (kind in ('new', 'cross', 'replace', 'daily')),
      -- arXiv category of the announcement, or a page's file name; '' when the source has no such part
      section text not null default '',
      position integer,
      upvotes integer,
      seen_at timestamptz not null default now(),
      unique (source, listed_on, section, paper_id)
    )`.execute(db);
  await sql`create index listings_paper on listings (paper_id)`.execute(db);
  await sql`create index listings_day on listings (listed_on, source)`.execute(db);

  await sql`
    create table signals (
      paper_id bigint not null references papers on delete cascade,
      kind text not null check (kind in ('upvotes', 'comments', 'github_stars', 'more')),
      observed_at timestamptz not null,
      value integer not null,
      primary key (paper_id, kind, observed_at)
    )`.execute(db);
  await sql`create index signals_observed_at on signals (observed_at)`.execute(db);

  await sql`
    create table topics (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('topic', 'category', 'author', 'organisation', 'query', 'paper', 'trending')),
      -- canonical form of what is followed: a slug, 'cs.CL', a name, a query, 'arxiv:…', '' for trending
      value text not null,
      name text not null,
      description text not null default '',
      topic_group text,
      -- for catalogue topics: {"triggers": [...], "titleTriggers": [...]}
      definition jsonb not null default '{}',
      hidden boolean not null default false,
      created_at timestamptz not null default now(),
      unique (kind, value)
    )`.execute(db);

  await sql`
    create table subscribers (
      id bigint generated always as identity primary key,
      -- what signed links carry instead of an address
      public_id uuid not null unique default gen_random_uuid(),
      -- null after erasure
      email text,
      -- normalised for comparison (lower case, NFC, domain in ASCII)
      email_key text unique,
      state text not null check (state in ('pending', 'active', 'paused', 'unsubscribed')),
      timezone text not null default 'UTC',
      hour smallint not null default 7 check (hour between 0 and 23),
      frequency text not null default 'daily' check (frequency in ('daily', 'weekdays', 'weekly')),
      -- bit 0 = Monday … bit 6 = Sunday; further narrows the frequency, 127 = no narrowing
      weekdays smallint not null default 127 check (weekdays between 1 and 127),
      papers_per_digest smallint not null default 10 check (papers_per_digest between 1 and 50),
      -- 0 = taste only … 100 = trending only
      dial smallint not null default 30 check (dial between 0 and 100),
      fill_with_trending boolean not null default true,
      tell_nothing_today boolean not null default false,
      sections boolean not null default false,
      images boolean not null default false,
      language text not null default 'en',
      next_digest_at timestamptz,
      -- confirmed, and the first digest not yet planned: it goes out once topics are chosen, or soon in any case
      welcome_due boolean not null default false,
      paused_until date,
      -- raised to revoke every link mailed so far
      link_epoch integer not null default 0,
      -- the same for the personal feeds
      feed_epoch integer not null default 0,
      created_at timestamptz not null default now(),
      confirmed_at timestamptz,
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index subscribers_due on subscribers (next_digest_at, id) where state = 'active'`.execute(
    db,
  );
  await sql`create index subscribers_paused on subscribers (paused_until) where state = 'paused'`.execute(db);

  await sql`
    create table follows (
      subscriber_id bigint not null references subscribers on delete cascade,
      topic_id bigint not null references topics,
      -- negative: a mute
      weight real not null default 1 check (weight <> 0),
      created_at timestamptz not null default now(),
      primary key (subscriber_id, topic_id)
    )`.execute(db);
  await sql`create index follows_topic on follows (topic_id)`.execute(db);

  // A confirmation that waits for its button: of a new subscription, or of a change of address.
  await sql`
    create table confirmations (
      id bigint generated always as identity primary key,
      subscriber_id bigint not null references subscribers on delete cascade,
      purpose text not null check (purpose in ('subscribe', 'change-address')),
      -- sha256 of the token: the token itself is only ever in the mail
      token_hash bytea not null unique,
      new_email text,
      consent_text text not null,
      -- what the visitor asked for with the address: follows, zone; applied on confirmation
      request jsonb not null default '{}',
      created_at timestamptz not null default now(),
      expires_at timestamptz not null,
      used_at timestamptz
    )`.execute(db);
  await sql`create index confirmations_subscriber on confirmations (subscriber_id, created_at)`.execute(db);

  // Transactional mails (confirm, goodbye …): a small ledger of their own, with the same states as digests.
  await sql`
    create table notices (
      id bigint generated always as identity primary key,
      subscriber_id bigint references subscribers on delete cascade,
      kind text not null,
      email text not null,
      language text not null default 'en',
      parameters jsonb not null default '{}',
      state text not null default 'planned'
        check (state in ('planned', 'claimed', 'handed_over', 'sent', 'deferred', 'failed', 'unknown', 'skipped')),
      attempts integer not null default 0,
      lease_until timestamptz,
      lease_token bigint,
      resent boolean not null default false,
      due_at timestamptz not null default now(),
      deadline timestamptz not null,
      created_at timestamptz not null default now(),
      finished_at timestamptz,
      reply text
    )`.execute(db);
  await sql`
    create index notices_open on notices (due_at)
      where state in ('planned', 'claimed', 'handed_over', 'deferred')`.execute(db);

  await sql`
    create table editions (
      edition_date date primary key,
      -- candidate papers, best known trend first
      candidates bigint[] not null default '{}',
      -- per source: expected, received, new …
      coverage jsonb not null default '{}',
      opened_at timestamptz not null default now(),
      refreshed_at timestamptz not null default now(),
      -- once every zone is past the date the candidates no longer change
      frozen_at timestamptz
    )`.execute(db);

  await sql`create sequence digest_ids as bigint`.execute(db);
  await sql`create sequence lease_tokens as bigint`.execute(db);
  await sql`
    create table digests (
      id bigint not null default nextval('digest_ids'),
      edition_date date not null,
      subscriber_id bigint not null,
      kind text not null default 'daily' check (kind in ('welcome', 'daily', 'weekly', 'nothing')),
      state text not null default 'planned'
        check (state in ('planned', 'claimed', 'handed_over', 'sent', 'deferred', 'failed', 'unknown', 'skipped')),
      skip_reason text,
      -- the content, frozen: paper ids in order, and beside each its reasons
      paper_ids bigint[] not null default '{}',
      content jsonb not null default '{}',
      -- the instant the reader asked for
      slot_at timestamptz not null,
      -- not before: later than slot_at after a deferral
      due_at timestamptz not null,
      deadline timestamptz not null,
      attempts smallint not null default 0,
      resent boolean not null default false,
      lease_until timestamptz,
      lease_token bigint,
      handed_over_at timestamptz,
      finished_at timestamptz,
      reply text,
      -- id first: found by id alone as well as by a range of ids of one edition
      primary key (id, edition_date),
      unique (subscriber_id, edition_date)
    ) partition by range (edition_date)`.execute(db);
  // What the sweep looks for; each row is in at most one of the three.
  await sql`
    create index digests_due on digests (due_at, id) where state in ('planned', 'deferred')`.execute(db);
  await sql`
    create index digests_leased on digests (lease_until) where state in ('claimed', 'handed_over')`.execute(
    db,
  );
  await sql`create index digests_unknown on digests (finished_at) where state = 'unknown'`.execute(db);
  await sql`create table digests_default partition of digests default`.execute(db);

  await sql`
    create table feedback (
      subscriber_id bigint not null references subscribers on delete cascade,
      paper_id bigint not null references papers on delete cascade,
      verdict text not null check (verdict in ('more', 'less', 'not_now')),
      given_at timestamptz not null default now(),
      primary key (subscriber_id, paper_id)
    )`.execute(db);

  await sql`
    create table suppressions (
      -- HMAC-SHA-256 of email_key: outlives the erasure of the address
      address_hash bytea primary key,
      reason text not null check (reason in ('unsubscribed', 'hard_bounce', 'complaint', 'operator')),
      detail text,
      created_at timestamptz not null default now()
    )`.execute(db);

  await sql`
    create table events (
      id bigint generated always as identity primary key,
      subscriber_id bigint references subscribers on delete set null,
      kind text not null,
      at timestamptz not null default now(),
      ip inet,
      user_agent text,
      detail jsonb not null default '{}'
    )`.execute(db);
  await sql`create index events_subscriber on events (subscriber_id, at)`.execute(db);

  // How often something was asked for in a window: caps per address, per IP and overall. A crash may empty it.
  await sql`
    create unlogged table request_counts (
      -- what is counted and for whom; addresses as a keyed hash
      key text not null,
      window_start timestamptz not null,
      count integer not null,
      primary key (key, window_start)
    )`.execute(db);

  await sql`
    create table api_keys (
      id bigint generated always as identity primary key,
      name text not null,
      -- sha256 of the key: the key itself is shown once
      key_hash bytea not null unique,
      scopes text[] not null,
      created_at timestamptz not null default now(),
      last_used_at timestamptz,
      revoked_at timestamptz
    )`.execute(db);

  // Answers already given to writes that carried an Idempotency-Key.
  await sql`
    create table idempotency_keys (
      api_key_id bigint not null references api_keys on delete cascade,
      key text not null,
      -- sha256 of method, path and body: another request under the same key is refused
      request_hash bytea not null,
      -- null while the first request is at work
      status smallint,
      body jsonb,
      created_at timestamptz not null default now(),
      primary key (api_key_id, key)
    )`.execute(db);

  // What a process must remember between starts: cursors of sources, fitted statistics' versions …
  await sql`
    create table settings (
      key text primary key,
      value jsonb not null,
      updated_at timestamptz not null default now()
    )`.execute(db);
}
