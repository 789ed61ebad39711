-- The books. Times are UTC microseconds, money is in minor units, ids are 16 bytes, booleans are 0 or 1.
-- Rows of a customer carry its shard, first in every key, so that the same schema can be spread out.

create table organizations (
  id blob not null,
  name text not null,
  created_at integer not null,
  primary key (id)
) strict, without rowid;

create table environments (
  number integer not null,
  organization_id blob not null,
  livemode integer not null,
  clock integer,
  zone text not null,
  currency text not null,
  numbering text not null,
  invoice_prefix text not null,
  due_days integer not null,
  grace_days integer not null,
  dunning_days text not null,
  dunning_end text not null,
  remind_at_percent_remaining integer not null,
  multiple_subscriptions integer not null,
  default_product text,
  created_at integer not null,
  primary key (number),
  foreign key (organization_id) references organizations (id)
) strict, without rowid;

-- How many rows of a kind an environment has: the totals of its lists and the source of its numbers.
create table tallies (
  environment integer not null,
  kind text not null,
  n integer not null,
  primary key (environment, kind)
) strict, without rowid;

create table staff (
  id blob not null,
  environment integer not null,
  email text not null,
  name text not null,
  role text not null,
  disabled integer not null,
  created_at integer not null,
  primary key (id),
  unique (environment, email)
) strict, without rowid;

create table catalogs (
  id blob not null,
  environment integer not null,
  name text not null,
  is_default integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (id)
) strict, without rowid;
create index catalogs_list on catalogs (environment, id);

create table products (
  id blob not null,
  environment integer not null references environments (number),
  number integer not null,
  catalog_id blob not null,
  name text not null,
  slug text,
  description text,
  image_url text,
  category text not null,
  is_default integer not null,
  active integer not null,
  display_features text,
  singular_quantity_label text,
  plural_quantity_label text,
  created_at integer not null,
  updated_at integer not null,
  primary key (id),
  unique (environment, number),
  unique (catalog_id, slug),
  foreign key (catalog_id) references catalogs (id)
) strict, without rowid;
create index products_list on products (environment, id);

create table prices (
  id blob not null,
  environment integer not null references environments (number),
  number integer not null,
  product_id blob not null,
  kind text not null,
  name text,
  slug text,
  unit_price integer not null,
  currency text not null,
  interval_unit text,
  interval_count integer,
  trial_days integer,
  setup_fee integer,
  period_count integer,
  tax_behavior text not null,
  is_default integer not null,
  active integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (id),
  unique (environment, number),
  foreign key (product_id) references products (id)
) strict, without rowid;
create index prices_list on prices (environment, id);
create index prices_of_product on prices (product_id, id);

create table discounts (
  id blob not null,
  environment integer not null references environments (number),
  name text not null,
  code text not null,
  percent integer,
  fixed integer,
  currency text,
  payments integer,
  active integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (id),
  unique (environment, code)
) strict, without rowid;
create index discounts_list on discounts (environment, id);

create table tax_rates (
  id blob not null,
  environment integer not null references environments (number),
  kind text not null,
  country text not null,
  state text,
  category text,
  rate text not null,
  created_at integer not null,
  primary key (id)
) strict, without rowid;
create index tax_rates_list on tax_rates (environment, id);
create unique index tax_rates_once
  on tax_rates (environment, country, coalesce(state, ''), coalesce(category, ''));

create table customers (
  shard integer not null,
  id blob not null,
  environment integer not null references environments (number),
  external_id text not null,
  handle text,
  name text not null,
  email text not null,
  archived integer not null,
  invoice_number_base text not null,
  logo_url text,
  icon_url text,
  domain text,
  billing_address text,
  country text,
  state text,
  user_id text,
  catalog_id blob,
  zone text,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id)
) strict, without rowid;
create index customers_list on customers (environment, id);

-- What leads from a merchant's words (kind `external_id` or `handle`) to a customer and its shard.
create table customer_names (
  environment integer not null,
  kind text not null,
  name text not null,
  customer_id blob not null,
  primary key (environment, kind, name)
) strict, without rowid;

-- Raised by every commit that touches a row of the customer; a commit says which one it decided on.
create table customer_versions (
  shard integer not null,
  customer_id blob not null,
  version integer not null,
  primary key (shard, customer_id),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;

create table customer_users (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  email text not null,
  name text not null,
  created_at integer not null,
  primary key (shard, id),
  unique (shard, customer_id, email),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;

create table payment_methods (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  kind text not null,
  is_default integer not null,
  token text not null,
  billing_details text not null,
  data text not null,
  metadata text,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;
create index payment_methods_list on payment_methods (environment, id);
create index payment_methods_of_customer on payment_methods (shard, customer_id, id);

create table subscriptions (
  shard integer not null,
  id blob not null,
  environment integer not null,
  number integer not null,
  customer_id blob not null,
  price_id blob not null,
  product_id blob not null,
  category text not null,
  name text not null,
  status text not null,
  currency text not null,
  interval_unit text not null,
  interval_count integer not null,
  anchor integer not null,
  zone text not null,
  period_index integer not null,
  period_id blob not null,
  period_start integer not null,
  period_end integer not null,
  periods_left integer,
  trial_end integer,
  default_payment_method_id blob,
  backup_payment_method_id blob,
  discount_id blob,
  discount_payments_left integer,
  cancel_scheduled_at integer,
  canceled_at integer,
  ended_at integer,
  reminded_at integer,
  due_at integer,
  metadata text,
  started_at integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;
create index subscriptions_list on subscriptions (environment, id);
create index subscriptions_of_customer on subscriptions (shard, customer_id, id);
create index subscriptions_due on subscriptions (environment, shard, due_at) where due_at is not null;

create table items (
  shard integer not null,
  subscription_id blob not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  price_id blob not null,
  product_id blob not null,
  category text not null,
  name text not null,
  unit_price integer not null,
  currency text not null,
  tax_behavior text not null,
  quantity integer not null check (quantity > 0),
  pending text,
  added_at integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, subscription_id, id),
  foreign key (shard, subscription_id) references subscriptions (shard, id)
) strict, without rowid;

create table invoices (
  shard integer not null,
  id blob not null,
  environment integer not null,
  ordinal integer not null,
  customer_ordinal integer not null,
  currency_ordinal integer not null,
  number text not null,
  customer_id blob not null,
  kind text not null,
  subscription_id blob,
  period_id blob,
  purchase_id blob,
  product_id blob,
  price_id blob,
  category text not null,
  currency text not null,
  subtotal integer not null,
  tax integer not null,
  total integer not null check (total >= 0),
  invoice_date integer not null,
  due_date integer not null,
  period_start integer,
  period_end integer,
  memo text,
  content_hash blob not null,
  status text not null,
  settled integer not null check (settled >= 0 and settled <= total),
  refunded integer not null check (refunded >= 0),
  paid_at integer,
  attempt_count integer not null,
  retry_count integer not null,
  next_attempt_at integer,
  last_failure text,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id),
  unique (shard, customer_id, customer_ordinal),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;
create unique index invoices_list on invoices (environment, ordinal);
create index invoices_due on invoices (environment, shard, next_attempt_at) where next_attempt_at is not null;
create index invoices_open on invoices (shard, customer_id, id) where status = 'open';
create index invoices_of_subscription on invoices (shard, subscription_id, id) where subscription_id is not null;

create trigger invoices_are_final
before update of shard, id, environment, ordinal, customer_ordinal, currency_ordinal, number, customer_id, kind,
  subscription_id, period_id, purchase_id, product_id, price_id, category, currency, subtotal, tax, total,
  invoice_date, due_date, period_start, period_end, memo, content_hash, created_at on invoices
begin
  select raise(abort, 'a finalized invoice is immutable');
end;
create trigger invoices_stay before delete on invoices
begin
  select raise(abort, 'a finalized invoice is immutable');
end;

create table invoice_lines (
  shard integer not null,
  invoice_id blob not null,
  position integer not null,
  id blob not null,
  environment integer not null,
  description text not null,
  price_id blob,
  category text not null,
  quantity integer not null check (quantity > 0),
  amount integer not null,
  created_at integer not null,
  primary key (shard, invoice_id, position),
  foreign key (shard, invoice_id) references invoices (shard, id)
) strict, without rowid;
create index invoice_lines_list on invoice_lines (environment, id);
create trigger invoice_lines_are_final before update on invoice_lines
begin
  select raise(abort, 'a finalized invoice is immutable');
end;
create trigger invoice_lines_stay before delete on invoice_lines
begin
  select raise(abort, 'a finalized invoice is immutable');
end;

create table invoice_taxes (
  shard integer not null,
  invoice_id blob not null,
  position integer not null,
  category text not null,
  kind text not null,
  country text not null,
  state text,
  rate text not null,
  taxable integer not null,
  amount integer not null,
  primary key (shard, invoice_id, position),
  foreign key (shard, invoice_id) references invoices (shard, id)
) strict, without rowid;
create trigger invoice_taxes_are_final before update on invoice_taxes
begin
  select raise(abort, 'a finalized invoice is immutable');
end;
create trigger invoice_taxes_stay before delete on invoice_taxes
begin
  select raise(abort, 'a finalized invoice is immutable');
end;

create table periods (
  shard integer not null,
  id blob not null,
  environment integer not null,
  number integer not null,
  customer_id blob not null,
  subscription_id blob not null,
  period_start integer not null,
  period_end integer not null,
  price_id blob not null,
  quantity integer not null,
  invoice_id blob,
  renewal integer not null,
  reminder_sent_at integer,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id),
  unique (shard, subscription_id, period_start),
  foreign key (shard, subscription_id) references subscriptions (shard, id),
  foreign key (shard, invoice_id) references invoices (shard, id)
) strict, without rowid;
create unique index periods_list on periods (environment, number);

create table payments (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  invoice_id blob,
  attempt integer,
  is_retry integer not null,
  payment_method_id blob,
  kind text not null,
  means text not null,
  category text not null,
  amount integer not null check (amount > 0),
  currency text not null,
  refunded integer not null check (refunded >= 0 and refunded <= amount),
  status text not null,
  paid_at integer not null,
  failure_code text,
  failure_message text,
  gateway_reference text,
  description text,
  notes text,
  receipt_image text,
  created_by blob,
  price_id blob,
  discount_percent integer not null,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id),
  foreign key (shard, invoice_id) references invoices (shard, id)
) strict, without rowid;
create index payments_list on payments (environment, id);
create unique index payments_attempts on payments (shard, invoice_id, attempt) where invoice_id is not null;
create index payments_of_customer on payments (shard, customer_id, paid_at, id);
create index payments_processing on payments (environment, shard, id) where status = 'processing';

create table refunds (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  payment_id blob not null,
  invoice_id blob,
  amount integer not null check (amount > 0),
  currency text not null,
  reason text,
  status text not null,
  failure_message text,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id),
  foreign key (shard, payment_id) references payments (shard, id)
) strict, without rowid;
create index refunds_list on refunds (environment, id);
create index refunds_of_payment on refunds (shard, payment_id, id);
create index refunds_processing on refunds (environment, shard, id) where status = 'processing';

create table credits (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  payment_id blob,
  amount integer not null,
  remaining integer not null check (remaining >= 0 and remaining <= amount),
  currency text not null,
  created_at integer not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;
create index credits_left on credits (shard, customer_id, id) where remaining > 0;
create index credits_of_payment on credits (shard, payment_id) where payment_id is not null;

create table allocations (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  credit_id blob not null,
  invoice_id blob not null,
  amount integer not null check (amount > 0),
  created_at integer not null,
  primary key (shard, id),
  foreign key (shard, credit_id) references credits (shard, id),
  foreign key (shard, invoice_id) references invoices (shard, id)
) strict, without rowid;
create index allocations_of_credit on allocations (shard, credit_id, id);
create index allocations_of_invoice on allocations (shard, invoice_id, id);

create table purchases (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  price_id blob not null,
  name text not null,
  status text not null,
  quantity integer not null,
  first_invoice_value integer not null,
  price_per_cycle integer,
  currency text not null,
  metadata text,
  purchased_at integer,
  created_at integer not null,
  updated_at integer not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;
create index purchases_list on purchases (environment, id);
create index purchases_of_customer on purchases (shard, customer_id, id);

create table journal_entries (
  shard integer not null,
  id blob not null,
  environment integer not null,
  customer_id blob not null,
  kind text not null,
  currency text not null,
  invoice_id blob,
  payment_id blob,
  at integer not null,
  primary key (shard, id),
  foreign key (shard, customer_id) references customers (shard, id)
) strict, without rowid;
create index journal_entries_of_invoice on journal_entries (shard, invoice_id) where kind = 'invoice';
create trigger journal_entries_are_final before update on journal_entries
begin
  select raise(abort, 'a journal entry is immutable');
end;
create trigger journal_entries_stay before delete on journal_entries
begin
  select raise(abort, 'a journal entry is immutable');
end;

create table postings (
  shard integer not null,
  entry_id blob not null,
  position integer not null,
  account text not null,
  amount integer not null,
  primary key (shard, entry_id, position),
  foreign key (shard, entry_id) references journal_entries (shard, id)
) strict, without rowid;
create trigger postings_are_final before update on postings
begin
  select raise(abort, 'a journal entry is immutable');
end;
create trigger postings_stay before delete on postings
begin
  select raise(abort, 'a journal entry is immutable');
end;
