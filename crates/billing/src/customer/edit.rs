//! Making and changing customers and what they are charged with.
//!
//! Owns which values they can have; that an external id or handle is free is asked of the books by the
//! engine. A text that looks like a card number is never taken for a token. The only time is `ctx.now`.

use crate::calendar::Zone;
use crate::country::country_of;
use crate::customer::{Customer, CustomerEdit, CustomerUser, PaymentMethod, PaymentMethodKind};
use crate::id::{Ctx, CustomerId};
use crate::refusal::{Field, Refusal};

/// Makes a customer. The commit gives it the first part of its invoice numbers.
///
/// # Errors
/// If its id, name or e-mail address is missing, or a value cannot be.
pub fn new_customer(ctx: &mut Ctx, environment: i64, edit: &CustomerEdit) -> Result<Customer, Refusal> {
    let blank = Customer::new(ctx.customer_id(environment), environment, ctx.now);
    edit_customer(ctx, &blank, edit)
}

/// The customer as it is after the edit. It is written only if that differs from what it was.
///
/// # Errors
/// If a value cannot be.
pub fn edit_customer(ctx: &Ctx, customer: &Customer, edit: &CustomerEdit) -> Result<Customer, Refusal> {
    let mut after = edit.apply(customer);
    if let Some(address) = edit.billing_address.clone() {
        after.country = match address.as_ref().and_then(|address| address.country.as_deref()) {
            Some(code) => Some(country_of(Field::AddressCountry, code)?),
            None => None,
        };
        after.state =
            address.as_ref().and_then(|address| address.state.as_deref()).map(|s| s.trim().to_uppercase());
        after.billing_address = address.map(|address| address.text);
    }
    check(&after)?;
    if after != *customer {
        after.updated_at = ctx.now;
    }
    Ok(after)
}

fn check(customer: &Customer) -> Result<(), Refusal> {
    if customer.external_id.is_empty() {
        return Err(Refusal::invalid(Field::ExternalId, "the id of the customer in your application"));
    }
    if customer.name.trim().is_empty() {
        return Err(Refusal::invalid(Field::Name, "the name of the customer"));
    }
    email(Field::Email, &customer.email)?;
    if let Some(zone) = &customer.zone
        && Zone::parse(zone).is_err()
    {
        return Err(Refusal::invalid(Field::Zone, "an IANA time zone, such as Europe/Paris"));
    }
    if let Some(handle) = &customer.handle {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if handle.is_empty() || handle.len() > 253 || !handle.chars().all(plain) {
            return Err(Refusal::invalid(Field::Handle, "lower-case letters, digits, hyphens and dots"));
        }
    }
    Ok(())
}

/// Checks that a text can be an e-mail address.
///
/// # Errors
/// If it cannot.
fn email(field: Field, text: &str) -> Result<(), Refusal> {
    let is_one = text.len() <= 254
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
        && text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if is_one { Ok(()) } else { Err(Refusal::invalid(field, "an e-mail address")) }
}

/// A person of a customer.
///
/// # Errors
/// If the address cannot be an e-mail address.
pub fn new_user(
    ctx: &mut Ctx,
    customer: &Customer,
    address: &str,
    name: &str,
) -> Result<CustomerUser, Refusal> {
    use crate::id::Id;
    email(Field::Email, address)?;
    Ok(CustomerUser {
        id: ctx.id(customer.id.shard()),
        environment: customer.environment,
        customer_id: customer.id,
        email: address.to_owned(),
        name: name.to_owned(),
        created_at: ctx.now,
    })
}

/// What a payment method is made from. The token is the gateway's; a card number never comes here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPaymentMethod {
    /// What it charges.
    pub kind: PaymentMethodKind,
    /// The gateway's token for it.
    pub token: String,
    /// Whether it is charged when nothing else is said; the first one always is.
    pub is_default: bool,
    /// Name, e-mail and address as JSON text.
    pub billing_details: String,
    /// What may be shown of it as JSON text.
    pub data: String,
    /// The merchant's own data as JSON text.
    pub metadata: Option<String>,
}

/// Makes a payment method.
///
/// # Errors
/// If the token is no token: empty, or digits as those of a card.
pub fn new_payment_method(
    ctx: &mut Ctx,
    environment: i64,
    customer: CustomerId,
    new: &NewPaymentMethod,
) -> Result<PaymentMethod, Refusal> {
    use crate::id::Id;
    let digits = new.token.chars().filter(char::is_ascii_digit).count();
    if new.token.is_empty() || looks_like_a_card(&new.token) || digits == new.token.len() {
        return Err(Refusal::invalid(Field::Token, "a token of the payment gateway, never a card number"));
    }
    Ok(PaymentMethod {
        id: ctx.id(customer.shard()),
        environment,
        customer_id: customer,
        kind: new.kind,
        is_default: new.is_default,
        token: new.token.clone(),
        billing_details: new.billing_details.clone(),
        data: new.data.clone(),
        metadata: new.metadata.clone(),
        created_at: ctx.now,
        updated_at: ctx.now,
    })
}

/// Whether a text holds a number that could be a payment card's: 12 to 19 digits, with nothing but
/// spaces, dots or hyphens between them, that begin and check as those of cards do (ISO 7812).
pub fn looks_like_a_card(text: &str) -> bool {
    let mut digits: Vec<u32> = Vec::new();
    for c in text.chars().chain([' ', 'x']) {
        match c.to_digit(10) {
            Some(digit) => digits.push(digit),
            None if matches!(c, ' ' | '-' | '.' | '\u{a0}') => {}
            None => {
                if is_card(&digits) {
                    return true;
                }
                digits.clear();
            }
        }
    }
    false
}

fn is_card(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    (12..=19).contains(&digits.len()) && (2..=6).contains(&digits[0]) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_seen_through() {
        for text in
            ["4242424242424242", "4242 4242 4242 4242", "pan: 4242-4242-4242-4242!", "378282246310005"]
        {
            assert!(looks_like_a_card(text), "{text}");
        }
        for text in
            ["tok_visa", "4242424242424241", "pm_1N2o3P4q5R", "1700000000000", "order 202511230001", ""]
        {
            assert!(!looks_like_a_card(text), "{text}");
        }
    }

    #[test]
    fn an_address_is_one() {
        for text in ["a@b", "ada.l+x@sub.example.com", "ü@ö.example"] {
            assert!(email(Field::Email, text).is_ok(), "{text}");
        }
        for text in ["", "a", "@b", "a@", "a b@c", "a@b\n"] {
            assert!(email(Field::Email, text).is_err(), "{text}");
        }
    }
}
