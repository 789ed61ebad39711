//! Failures in Flowglad's envelope: `{"error":"…","code":"NOT_FOUND"}` and `message`.

use super::spell;
use crate::auth::refused::{Malformed, Refused};
use crate::body::Body;
use crate::faces::reply::{NOT_NOW, json};
use crate::idempotency::error::RequestError;
use crate::json::object;
use axum::response::{IntoResponse, Response};
use billing::refusal::{Field, Refusal};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::borrow::Cow;

/// A failure.
#[derive(Debug, Clone)]
pub(super) struct Error {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl Error {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// A field, parameter or header cannot be; `wanted` says what would be right.
    pub(super) fn must_be(field: impl std::fmt::Display, wanted: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("{field} must be {wanted}"))
    }

    /// The request as a whole cannot be.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// There is no such thing in these books.
    pub(super) fn not_found(what: &str, id: &str) -> Self {
        let id: String = id.chars().take(200).collect();
        let mut name = what.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let message = match what {
            "customer" if !id.is_empty() && !id.starts_with("cust_") => {
                format!("Customer with externalId {id} not found")
            }
            _ if id.is_empty() => format!("{name} not found"),
            _ => format!("{name} {id} not found"),
        };
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The key does not open the merchant API.
    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "This API key does not open the merchant API.")
    }

    fn unauthorized(message: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }
}

/// The name that tRPC has for a status.
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_SUPPORTED",
        409 => "CONFLICT",
        413 => "PAYLOAD_TOO_LARGE",
        422 => "UNPROCESSABLE_CONTENT",
        503 => "SERVICE_UNAVAILABLE",
        _ => "INTERNAL_SERVER_ERROR",
    }
}

/// A failure that has no more to say than its status.
pub(crate) fn plain(status: StatusCode) -> Response<Body> {
    Error::new(status, status.canonical_reason().unwrap_or("Error")).into_response()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        let is_unauthorized = self.status == StatusCode::UNAUTHORIZED;
        let body = object(|o| {
            // The word of the document's first answer to a request without a key.
            o.put("error", if is_unauthorized { "unauthorized" } else { &self.message });
            o.put("code", code(self.status)).put("message", &self.message);
        });
        let mut response = json(self.status, body);
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // Published clients repeat every 409 unless they are told not to.
            StatusCode::CONFLICT => {
                let again = if self.message == STILL_RUNNING { "true" } else { "false" };
                let name = HeaderName::from_static("x-should-retry");
                headers.insert(name, HeaderValue::from_static(again));
                if again == "true" {
                    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                }
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

const STILL_RUNNING: &str = "A request with this Idempotency-Key is still being processed.";

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::unauthorized(match refused {
            Refused::Missing => "There is no Authorization header: send your API key in it.",
            Refused::Malformed(Malformed::Unreadable) => "The Authorization header cannot be read.",
            Refused::Malformed(_) => {
                "The Authorization header must hold \"Bearer <api-key>\" or \"<api-key>\"."
            }
            Refused::Expired => "The API key has expired.",
            Refused::Revoked => "The API key was revoked.",
            Refused::Unknown | Refused::Gone => "The API key is not valid.",
            Refused::Store(error) => return error.into(),
        })
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Refused(Refusal::Invalid { field, problem }) => {
                Self::new(StatusCode::BAD_REQUEST, format!("{}: {problem}", wire_name(field)))
            }
            engine::Error::Refused(Refusal::InvalidLine { line, field, problem }) => {
                Self::must_be(format_args!("invoiceLineItems[{line}].{}", wire_name(field)), problem)
            }
            engine::Error::Refused(Refusal::NotOfPrice { field, has }) => {
                Self::must_be(wire_name(field), format_args!("that of the price: {has}"))
            }
            engine::Error::Refused(Refusal::PriceFixed(field)) => {
                const WANTED: &str = "as it is: make another price for another amount or interval";
                Self::must_be(format_args!("price.{}", wire_name(field)), WANTED)
            }
            engine::Error::Refused(
                refusal @ (Refusal::AutomaticPayment | Refusal::State(_) | Refusal::OutOfRange),
            ) => Self::new(StatusCode::BAD_REQUEST, refusal.to_string()),
            engine::Error::NotFound(kind, name) => Self::not_found(kind.noun(), &spell::name(kind, name)),
            engine::Error::Taken { field } => Self::new(
                StatusCode::CONFLICT,
                format!("{field}: another one exists with this value and other data"),
            ),
            engine::Error::KeyReused => RequestError::OtherRequest.into(),
            engine::Error::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            engine::Error::Store(error) => error.into(),
        }
    }
}

/// The document's name of what a value was given for, with its path.
const fn wire_name(field: Field) -> &'static str {
    match field {
        Field::AddressCountry => "billingAddress.address.country",
        Field::Amount => "amount",
        Field::BackupPaymentMethod => "backupPaymentMethodId",
        Field::CancelDate => "endDate",
        Field::Catalog => "catalogId",
        Field::Clock => "clock",
        Field::ClockTime => "now",
        Field::Code => "code",
        Field::Country => "country",
        Field::Currency => "currency",
        Field::DefaultPaymentMethod => "defaultPaymentMethodId",
        Field::Discount => "discountCode",
        Field::DiscountPayments => "numberOfPayments",
        Field::Duration => "duration",
        Field::Email => "email",
        Field::ExternalId => "externalId",
        Field::Handle => "handle",
        Field::Interval => "interval",
        Field::IntervalCount => "intervalCount",
        Field::IntervalUnit => "intervalUnit",
        Field::InvoiceLines => "invoiceLineItems",
        Field::IsDefault => "isDefault",
        Field::Items => "newSubscriptionItems",
        Field::Name => "name",
        Field::PeriodCount => "periodCount",
        Field::PeriodEnd => "end_at",
        Field::Price => "priceId",
        Field::PriceKind => "type",
        Field::Product => "productId",
        Field::Quantity => "quantity",
        Field::RefundAmount => "partialAmount",
        Field::Role => "role",
        Field::SetupFee => "setupFeeAmount",
        Field::Slug => "slug",
        Field::Start => "startDate",
        Field::TaxKind => "taxType",
        Field::TaxPercentage => "percentage",
        Field::Token => "token",
        Field::TrialDays => "trialPeriodDays",
        Field::UnitPrice => "unitPrice",
        Field::Zone => "zone",
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "flowglad");
        if error.passes() {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, NOT_NOW);
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        let status = match &error {
            RequestError::BadKey | RequestError::BrokenOff => StatusCode::BAD_REQUEST,
            RequestError::OtherRequest => StatusCode::UNPROCESSABLE_ENTITY,
            RequestError::StillRunning => return Self::new(StatusCode::CONFLICT, STILL_RUNNING),
            RequestError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::Store(error) => return error.clone().into(),
        };
        Self::new(status, error.to_string())
    }
}
