//! The columns of every table, in the order in which the codecs read them.
//!
//! `invoice_columns!("i")` is `i.id, i.environment, …`; the shard is left out, because ids carry it.

macro_rules! environment_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".number, ",
            $t,
            ".organization_id, ",
            $t,
            ".livemode, ",
            $t,
            ".clock, ",
            $t,
            ".zone, ",
            $t,
            ".currency, ",
            $t,
            ".numbering, ",
            $t,
            ".invoice_prefix, ",
            $t,
            ".due_days, ",
            $t,
            ".grace_days, ",
            $t,
            ".dunning_days, ",
            $t,
            ".dunning_end, ",
            $t,
            ".remind_at_percent_remaining, ",
            $t,
            ".multiple_subscriptions, ",
            $t,
            ".default_product, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! staff_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".email, ",
            $t,
            ".name, ",
            $t,
            ".role, ",
            $t,
            ".disabled, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! catalog_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".name, ",
            $t,
            ".is_default, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! product_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".number, ",
            $t,
            ".catalog_id, ",
            $t,
            ".name, ",
            $t,
            ".slug, ",
            $t,
            ".description, ",
            $t,
            ".image_url, ",
            $t,
            ".category, ",
            $t,
            ".is_default, ",
            $t,
            ".active, ",
            $t,
            ".display_features, ",
            $t,
            ".singular_quantity_label, ",
            $t,
            ".plural_quantity_label, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! price_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".number, ",
            $t,
            ".product_id, ",
            $t,
            ".kind, ",
            $t,
            ".name, ",
            $t,
            ".slug, ",
            $t,
            ".unit_price, ",
            $t,
            ".currency, ",
            $t,
            ".interval_unit, ",
            $t,
            ".interval_count, ",
            $t,
            ".trial_days, ",
            $t,
            ".setup_fee, ",
            $t,
            ".period_count, ",
            $t,
            ".tax_behavior, ",
            $t,
            ".is_default, ",
            $t,
            ".active, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! discount_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".name, ",
            $t,
            ".code, ",
            $t,
            ".percent, ",
            $t,
            ".fixed, ",
            $t,
            ".currency, ",
            $t,
            ".payments, ",
            $t,
            ".active, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! tax_rate_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".kind, ",
            $t,
            ".country, ",
            $t,
            ".state, ",
            $t,
            ".category, ",
            $t,
            ".rate, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! customer_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".external_id, ",
            $t,
            ".handle, ",
            $t,
            ".name, ",
            $t,
            ".email, ",
            $t,
            ".archived, ",
            $t,
            ".invoice_number_base, ",
            $t,
            ".logo_url, ",
            $t,
            ".icon_url, ",
            $t,
            ".domain, ",
            $t,
            ".billing_address, ",
            $t,
            ".country, ",
            $t,
            ".state, ",
            $t,
            ".user_id, ",
            $t,
            ".catalog_id, ",
            $t,
            ".zone, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! customer_user_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".email, ",
            $t,
            ".name, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! payment_method_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".kind, ",
            $t,
            ".is_default, ",
            $t,
            ".token, ",
            $t,
            ".billing_details, ",
            $t,
            ".data, ",
            $t,
            ".metadata, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! subscription_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".number, ",
            $t,
            ".customer_id, ",
            $t,
            ".price_id, ",
            $t,
            ".product_id, ",
            $t,
            ".category, ",
            $t,
            ".name, ",
            $t,
            ".status, ",
            $t,
            ".currency, ",
            $t,
            ".interval_unit, ",
            $t,
            ".interval_count, ",
            $t,
            ".anchor, ",
            $t,
            ".zone, ",
            $t,
            ".period_index, ",
            $t,
            ".period_id, ",
            $t,
            ".period_start, ",
            $t,
            ".period_end, ",
            $t,
            ".periods_left, ",
            $t,
            ".trial_end, ",
            $t,
            ".default_payment_method_id, ",
            $t,
            ".backup_payment_method_id, ",
            $t,
            ".discount_id, ",
            $t,
            ".discount_payments_left, ",
            $t,
            ".cancel_scheduled_at, ",
            $t,
            ".canceled_at, ",
            $t,
            ".ended_at, ",
            $t,
            ".reminded_at, ",
            $t,
            ".due_at, ",
            $t,
            ".metadata, ",
            $t,
            ".started_at, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! item_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".subscription_id, ",
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".price_id, ",
            $t,
            ".product_id, ",
            $t,
            ".category, ",
            $t,
            ".name, ",
            $t,
            ".unit_price, ",
            $t,
            ".currency, ",
            $t,
            ".tax_behavior, ",
            $t,
            ".quantity, ",
            $t,
            ".pending, ",
            $t,
            ".added_at, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! period_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".number, ",
            $t,
            ".customer_id, ",
            $t,
            ".subscription_id, ",
            $t,
            ".period_start, ",
            $t,
            ".period_end, ",
            $t,
            ".price_id, ",
            $t,
            ".quantity, ",
            $t,
            ".invoice_id, ",
            $t,
            ".renewal, ",
            $t,
            ".reminder_sent_at, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! invoice_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".ordinal, ",
            $t,
            ".customer_ordinal, ",
            $t,
            ".currency_ordinal, ",
            $t,
            ".number, ",
            $t,
            ".customer_id, ",
            $t,
            ".kind, ",
            $t,
            ".subscription_id, ",
            $t,
            ".period_id, ",
            $t,
            ".purchase_id, ",
            $t,
            ".product_id, ",
            $t,
            ".price_id, ",
            $t,
            ".category, ",
            $t,
            ".currency, ",
            $t,
            ".subtotal, ",
            $t,
            ".tax, ",
            $t,
            ".total, ",
            $t,
            ".invoice_date, ",
            $t,
            ".due_date, ",
            $t,
            ".period_start, ",
            $t,
            ".period_end, ",
            $t,
            ".memo, ",
            $t,
            ".content_hash, ",
            $t,
            ".status, ",
            $t,
            ".settled, ",
            $t,
            ".refunded, ",
            $t,
            ".paid_at, ",
            $t,
            ".attempt_count, ",
            $t,
            ".retry_count, ",
            $t,
            ".next_attempt_at, ",
            $t,
            ".last_failure, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! invoice_line_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".invoice_id, ",
            $t,
            ".position, ",
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".description, ",
            $t,
            ".price_id, ",
            $t,
            ".category, ",
            $t,
            ".quantity, ",
            $t,
            ".amount, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! invoice_tax_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".invoice_id, ",
            $t,
            ".position, ",
            $t,
            ".category, ",
            $t,
            ".kind, ",
            $t,
            ".country, ",
            $t,
            ".state, ",
            $t,
            ".rate, ",
            $t,
            ".taxable, ",
            $t,
            ".amount"
        )
    };
}
macro_rules! payment_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".invoice_id, ",
            $t,
            ".attempt, ",
            $t,
            ".is_retry, ",
            $t,
            ".payment_method_id, ",
            $t,
            ".kind, ",
            $t,
            ".means, ",
            $t,
            ".category, ",
            $t,
            ".amount, ",
            $t,
            ".currency, ",
            $t,
            ".refunded, ",
            $t,
            ".status, ",
            $t,
            ".paid_at, ",
            $t,
            ".failure_code, ",
            $t,
            ".failure_message, ",
            $t,
            ".gateway_reference, ",
            $t,
            ".description, ",
            $t,
            ".notes, ",
            $t,
            ".receipt_image, ",
            $t,
            ".created_by, ",
            $t,
            ".price_id, ",
            $t,
            ".discount_percent, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at, ",
            $t,
            ".deleted_at"
        )
    };
}
macro_rules! refund_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".payment_id, ",
            $t,
            ".invoice_id, ",
            $t,
            ".amount, ",
            $t,
            ".currency, ",
            $t,
            ".reason, ",
            $t,
            ".status, ",
            $t,
            ".failure_message, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! credit_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".payment_id, ",
            $t,
            ".amount, ",
            $t,
            ".remaining, ",
            $t,
            ".currency, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! allocation_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".credit_id, ",
            $t,
            ".invoice_id, ",
            $t,
            ".amount, ",
            $t,
            ".created_at"
        )
    };
}
macro_rules! purchase_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".price_id, ",
            $t,
            ".name, ",
            $t,
            ".status, ",
            $t,
            ".quantity, ",
            $t,
            ".first_invoice_value, ",
            $t,
            ".price_per_cycle, ",
            $t,
            ".currency, ",
            $t,
            ".metadata, ",
            $t,
            ".purchased_at, ",
            $t,
            ".created_at, ",
            $t,
            ".updated_at"
        )
    };
}
macro_rules! journal_entry_columns {
    ($t:literal) => {
        concat!(
            $t,
            ".id, ",
            $t,
            ".environment, ",
            $t,
            ".customer_id, ",
            $t,
            ".kind, ",
            $t,
            ".currency, ",
            $t,
            ".invoice_id, ",
            $t,
            ".payment_id, ",
            $t,
            ".at"
        )
    };
}
