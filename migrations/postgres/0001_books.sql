-- The books. Times are UTC microseconds, money is in minor units. Texts sort by their bytes, as in SQLite.
-- Rows of a customer carry its shard, first in every key, so that the same schema can be spread out: no
-- unique key of theirs may leave it out, and nothing depends on the triggers, which only stand guard.

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%', tg_argv[0];
end;
$$;

create table organizations (
  id uuid not null,
  name text collate "C" not null,
  created_at bigint not null,
  primary key (id)
);

create table environments (
  number bigint not null,
  organization_id uuid not null,
  livemode boolean not null,
  clock bigint,
  zone text collate "C" not null,
  currency text collate "C" not null,
  numbering text collate "C" not null,
  invoice_prefix text collate "C" not null,
  due_days bigint not null,
  grace_days bigint not null,
  dunning_days text collate "C" not null,
  dunning_end text collate "C" not null,
  remind_at_percent_remaining bigint not null,
  multiple_subscriptions boolean not null,
  default_product text collate "C",
  created_at bigint not null,
  primary key (number),
  foreign key (organization_id) references organizations (id)
);

-- How many rows of a kind an environment has: the totals of its lists and the source of its numbers.
create table tallies (
  environment bigint not null,
  kind text collate "C" not null,
  n bigint not null,
  primary key (environment, kind)
) with (fillfactor = 70);

create table staff (
  id uuid not null,
  environment bigint not null,
  email text collate "C" not null,
  name text collate "C" not null,
  role text collate "C" not null,
  disabled boolean not null,
  created_at bigint not null,
  primary key (id),
  unique (environment, email)
);

create table catalogs (
  id uuid not null,
  environment bigint not null,
  name text collate "C" not null,
  is_default boolean not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (id)
);
create index catalogs_list on catalogs (environment, id);

create table products (
  id uuid not null,
  environment bigint not null references environments (number),
  number bigint not null,
  catalog_id uuid not null,
  name text collate "C" not null,
  slug text collate "C",
  description text collate "C",
  image_url text collate "C",
  category text collate "C" not null,
  is_default boolean not null,
  active boolean not null,
  display_features text collate "C",
  singular_quantity_label text collate "C",
  plural_quantity_label text collate "C",
  created_at bigint not null,
  updated_at bigint not null,
  primary key (id),
  unique (environment, number),
  unique (catalog_id, slug),
  foreign key (catalog_id) references catalogs (id)
);
create index products_list on products (environment, id);

create table prices (
  id uuid not null,
  environment bigint not null references environments (number),
  number bigint not null,
  product_id uuid not null,
  kind text collate "C" not null,
  name text collate "C",
  slug text collate "C",
  unit_price bigint not null,
  currency text collate "C" not null,
  interval_unit text collate "C",
  interval_count bigint,
  trial_days bigint,
  setup_fee bigint,
  period_count bigint,
  tax_behavior text collate "C" not null,
  is_default boolean not null,
  active boolean not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (id),
  unique (environment, number),
  foreign key (product_id) references products (id)
);
create index prices_list on prices (environment, id);
create index prices_of_product on prices (product_id, id);

create table discounts (
  id uuid not null,
  environment bigint not null references environments (number),
  name text collate "C" not null,
  code text collate "C" not null,
  percent bigint,
  fixed bigint,
  currency text collate "C",
  payments bigint,
  active boolean not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (id),
  unique (environment, code)
);
create index discounts_list on discounts (environment, id);

create table tax_rates (
  id uuid not null,
  environment bigint not null references environments (number),
  kind text collate "C" not null,
  country text collate "C" not null,
  state text collate "C",
  category text collate "C",
  rate text collate "C" not null,
  created_at bigint not null,
  primary key (id)
);
create index tax_rates_list on tax_rates (environment, id);
create unique index tax_rates_once
  on tax_rates (environment, country, coalesce(state, ''), coalesce(category, ''));

create table customers (
  shard smallint not null,
  id uuid not null,
  environment bigint not null references environments (number),
  external_id text collate "C" not null,
  handle text collate "C",
  name text collate "C" not null,
  email text collate "C" not null,
  archived boolean not null,
  invoice_number_base text collate "C" not null,
  logo_url text collate "C",
  icon_url text collate "C",
  domain text collate "C",
  billing_address text collate "C",
  country text collate "C",
  state text collate "C",
  user_id text collate "C",
  catalog_id uuid,
  zone text collate "C",
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id)
) with (fillfactor = 70);
create index customers_list on customers (environment, id);

-- What leads from a merchant's words (kind `external_id` or `handle`) to a customer and its shard.
create table customer_names (
  environment bigint not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  customer_id uuid not null,
  primary key (environment, kind, name)
);

-- Raised by every commit that touches a row of the customer; a commit says which one it decided on.
create table customer_versions (
  shard smallint not null,
  customer_id uuid not null,
  version bigint not null,
  primary key (shard, customer_id),
  foreign key (shard, customer_id) references customers (shard, id)
) with (fillfactor = 70);

create table customer_users (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  email text collate "C" not null,
  name text collate "C" not null,
  created_at bigint not null,
  primary key (shard, id),
  unique (shard, customer_id, email),
  foreign key (shard, customer_id) references customers (shard, id)
);

create table payment_methods (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  kind text collate "C" not null,
  is_default boolean not null,
  token text collate "C" not null,
  billing_details text collate "C" not null,
  data text collate "C" not null,
  metadata text collate "C",
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
);
create index payment_methods_list on payment_methods (environment, id);
create index payment_methods_of_customer on payment_methods (shard, customer_id, id);

create table subscriptions (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  number bigint not null,
  customer_id uuid not null,
  price_id uuid not null,
  product_id uuid not null,
  category text collate "C" not null,
  name text collate "C" not null,
  status text collate "C" not null,
  currency text collate "C" not null,
  interval_unit text collate "C" not null,
  interval_count bigint not null,
  anchor bigint not null,
  zone text collate "C" not null,
  period_index bigint not null,
  period_id uuid not null,
  period_start bigint not null,
  period_end bigint not null,
  periods_left bigint,
  trial_end bigint,
  default_payment_method_id uuid,
  backup_payment_method_id uuid,
  discount_id uuid,
  discount_payments_left bigint,
  cancel_scheduled_at bigint,
  canceled_at bigint,
  ended_at bigint,
  reminded_at bigint,
  due_at bigint,
  metadata text collate "C",
  started_at bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
) with (fillfactor = 70);
create index subscriptions_list on subscriptions (environment, id);
create index subscriptions_of_customer on subscriptions (shard, customer_id, id);
create index subscriptions_due on subscriptions (environment, shard, due_at) where due_at is not null;

create table items (
  shard smallint not null,
  subscription_id uuid not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  price_id uuid not null,
  product_id uuid not null,
  category text collate "C" not null,
  name text collate "C" not null,
  unit_price bigint not null,
  currency text collate "C" not null,
  tax_behavior text collate "C" not null,
  quantity bigint not null check (quantity > 0),
  pending text collate "C",
  added_at bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, subscription_id, id),
  foreign key (shard, subscription_id) references subscriptions (shard, id)
);

create table invoices (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  ordinal bigint not null,
  customer_ordinal bigint not null,
  currency_ordinal bigint not null,
  number text collate "C" not null,
  customer_id uuid not null,
  kind text collate "C" not null,
  subscription_id uuid,
  period_id uuid,
  purchase_id uuid,
  product_id uuid,
  price_id uuid,
  category text collate "C" not null,
  currency text collate "C" not null,
  subtotal bigint not null,
  tax bigint not null,
  total bigint not null check (total >= 0),
  invoice_date bigint not null,
  due_date bigint not null,
  period_start bigint,
  period_end bigint,
  memo text collate "C",
  content_hash bytea not null,
  status text collate "C" not null,
  settled bigint not null check (settled >= 0 and settled <= total),
  refunded bigint not null check (refunded >= 0),
  paid_at bigint,
  attempt_count bigint not null,
  retry_count bigint not null,
  next_attempt_at bigint,
  last_failure text collate "C",
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id),
  unique (shard, customer_id, customer_ordinal),
  foreign key (shard, customer_id) references customers (shard, id)
) with (fillfactor = 70);
create index invoices_list on invoices (environment, ordinal);
create index invoices_due on invoices (environment, shard, next_attempt_at) where next_attempt_at is not null;
create index invoices_open on invoices (shard, customer_id, id) where status = 'open';
create index invoices_of_subscription on invoices (shard, subscription_id, id) where subscription_id is not null;

create trigger invoices_are_final before update of shard, id, environment, ordinal, customer_ordinal, currency_ordinal, number, customer_id, kind,
  subscription_id, period_id, purchase_id, product_id, price_id, category, currency, subtotal, tax, total,
  invoice_date, due_date, period_start, period_end, memo, content_hash, created_at on invoices
  for each row execute function refuse_change('a finalized invoice is immutable');
create trigger invoices_stay before delete on invoices
  for each row execute function refuse_change('a finalized invoice is immutable');

create table invoice_lines (
  shard smallint not null,
  invoice_id uuid not null,
  position bigint not null,
  id uuid not null,
  environment bigint not null,
  description text collate "C" not null,
  price_id uuid,
  category text collate "C" not null,
  quantity bigint not null check (quantity > 0),
  amount bigint not null,
  created_at bigint not null,
  primary key (shard, invoice_id, position),
  foreign key (shard, invoice_id) references invoices (shard, id)
);
create index invoice_lines_list on invoice_lines (environment, id);
create trigger invoice_lines_are_final before update on invoice_lines
  for each row execute function refuse_change('a finalized invoice is immutable');
create trigger invoice_lines_stay before delete on invoice_lines
  for each row execute function refuse_change('a finalized invoice is immutable');

create table invoice_taxes (
  shard smallint not null,
  invoice_id uuid not null,
  position bigint not null,
  category text collate "C" not null,
  kind text collate "C" not null,
  country text collate "C" not null,
  state text collate "C",
  rate text collate "C" not null,
  taxable bigint not null,
  amount bigint not null,
  primary key (shard, invoice_id, position),
  foreign key (shard, invoice_id) references invoices (shard, id)
);
create trigger invoice_taxes_are_final before update on invoice_taxes
  for each row execute function refuse_change('a finalized invoice is immutable');
create trigger invoice_taxes_stay before delete on invoice_taxes
  for each row execute function refuse_change('a finalized invoice is immutable');

create table periods (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  number bigint not null,
  customer_id uuid not null,
  subscription_id uuid not null,
  period_start bigint not null,
  period_end bigint not null,
  price_id uuid not null,
  quantity bigint not null,
  invoice_id uuid,
  renewal boolean not null,
  reminder_sent_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id),
  unique (shard, subscription_id, period_start),
  foreign key (shard, subscription_id) references subscriptions (shard, id),
  foreign key (shard, invoice_id) references invoices (shard, id)
);
create index periods_list on periods (environment, number);

create table payments (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  invoice_id uuid,
  attempt bigint,
  is_retry boolean not null,
  payment_method_id uuid,
  kind text collate "C" not null,
  means text collate "C" not null,
  category text collate "C" not null,
  amount bigint not null check (amount > 0),
  currency text collate "C" not null,
  refunded bigint not null check (refunded >= 0 and refunded <= amount),
  status text collate "C" not null,
  paid_at bigint not null,
  failure_code text collate "C",
  failure_message text collate "C",
  gateway_reference text collate "C",
  description text collate "C",
  notes text collate "C",
  receipt_image text collate "C",
  created_by uuid,
  price_id uuid,
  discount_percent bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id),
  foreign key (shard, invoice_id) references invoices (shard, id)
);
create index payments_list on payments (environment, id);
create unique index payments_attempts on payments (shard, invoice_id, attempt) where invoice_id is not null;
create index payments_of_customer on payments (shard, customer_id, paid_at, id);
create index payments_processing on payments (environment, shard, id) where status = 'processing';

create table refunds (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  payment_id uuid not null,
  invoice_id uuid,
  amount bigint not null check (amount > 0),
  currency text collate "C" not null,
  reason text collate "C",
  status text collate "C" not null,
  failure_message text collate "C",
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id),
  foreign key (shard, payment_id) references payments (shard, id)
);
create index refunds_list on refunds (environment, id);
create index refunds_of_payment on refunds (shard, payment_id, id);
create index refunds_processing on refunds (environment, shard, id) where status = 'processing';

create table credits (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  payment_id uuid,
  amount bigint not null,
  remaining bigint not null check (remaining >= 0 and remaining <= amount),
  currency text collate "C" not null,
  created_at bigint not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
);
create index credits_left on credits (shard, customer_id, id) where remaining > 0;
create index credits_of_payment on credits (shard, payment_id) where payment_id is not null;

create table allocations (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  credit_id uuid not null,
  invoice_id uuid not null,
  amount bigint not null check (amount > 0),
  created_at bigint not null,
  primary key (shard, id),
  foreign key (shard, credit_id) references credits (shard, id),
  foreign key (shard, invoice_id) references invoices (shard, id)
);
create index allocations_of_credit on allocations (shard, credit_id, id);
create index allocations_of_invoice on allocations (shard, invoice_id, id);

create table purchases (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  price_id uuid not null,
  name text collate "C" not null,
  status text collate "C" not null,
  quantity bigint not null,
  first_invoice_value bigint not null,
  price_per_cycle bigint,
  currency text collate "C" not null,
  metadata text collate "C",
  purchased_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
);
create index purchases_list on purchases (environment, id);
create index purchases_of_customer on purchases (shard, customer_id, id);

create table journal_entries (
  shard smallint not null,
  id uuid not null,
  environment bigint not null,
  customer_id uuid not null,
  kind text collate "C" not null,
  currency text collate "C" not null,
  invoice_id uuid,
  payment_id uuid,
  at bigint not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
);
create index journal_entries_of_invoice on journal_entries (shard, invoice_id) where kind = 'invoice';
create trigger journal_entries_are_final before update on journal_entries
  for each row execute function refuse_change('a journal entry is immutable');
create trigger journal_entries_stay before delete on journal_entries
  for each row execute function refuse_change('a journal entry is immutable');

create table postings (
  shard smallint not null,
  entry_id uuid not null,
  position bigint not null,
  account text collate "C" not null,
  amount bigint not null,
  primary key (shard, entry_id, position),
  foreign key (shard, entry_id) references journal_entries (shard, id)
);
create trigger postings_are_final before update on postings
  for each row execute function refuse_change('a journal entry is immutable');
create trigger postings_stay before delete on postings
  for each row execute function refuse_change('a journal entry is immutable');
