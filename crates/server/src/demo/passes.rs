//! Working credentials for a demo, and what to do with them.

use super::plan::DemoPlan;
use super::subjects::DemoSubjects;
use crate::auth::authenticator::Authenticator;
use crate::auth::issue::{IssuedCredential, TOKEN_DAYS};
use crate::json::object;
use billing::credential::{Bearer, KeyScope};
use billing::refusal::Refusal;
use billing::timestamp::Timestamp;
use engine::{Engine, Error};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write;

/// Credentials for every contract, and the names that go with them.
#[derive(Clone)]
pub struct Passes {
    merchant_key: String,
    periods_key: String,
    customer_external_id: String,
    customer: String,
    staff: [String; 3],
    member: String,
    handle: String,
    product: &'static str,
}

/// Gives out new credentials. The merchant's key is named after the plan, by which the books of a demo
/// can be told from others.
///
/// # Errors
/// If the store fails.
pub async fn issue(
    engine: &Engine,
    authenticator: &Authenticator,
    entropy: &dyn Fn(&mut [u8]),
    now: Timestamp,
    plan: DemoPlan,
    subjects: &DemoSubjects,
) -> Result<Passes, Error> {
    let mut ctx = engine.ctx(now);
    let number = subjects.environment.number;
    let expires_at = now.plus_days(TOKEN_DAYS).map_err(Refusal::from)?;
    let mut key = |name: &str, scope| {
        let books = (number, subjects.environment.livemode);
        authenticator.api_key(&mut ctx, entropy, books, name, vec![scope], None)
    };
    let merchant = key(&name_of(plan), KeyScope::Merchant);
    let periods = key("periods", KeyScope::Periods);
    let mut token =
        |name, bearer| authenticator.token(now, ctx.ids.next(now, 0), number, bearer, name, expires_at);
    let (external_id, customer, user) = &subjects.customer;
    let customer = token("the customer of the demo", Bearer::CustomerUser(*customer, *user));
    let (handle, organization, member) = &subjects.organization;
    let member = token("the organization of the demo", Bearer::CustomerUser(*organization, *member));
    let staff = subjects.staff.map(|staff| token("staff of the demo", Bearer::Staff(staff)));
    let mut secrets = Vec::with_capacity(7);
    for IssuedCredential { credential, secret } in
        [merchant, periods, customer, member].into_iter().chain(staff)
    {
        engine.issue_credential(credential).await?;
        secrets.push(secret);
    }
    let mut secrets = secrets.into_iter();
    let mut next = || secrets.next().unwrap_or_default();
    Ok(Passes {
        merchant_key: next(),
        periods_key: next(),
        customer: next(),
        member: next(),
        staff: [next(), next(), next()],
        customer_external_id: external_id.clone(),
        handle: handle.clone(),
        product: subjects.product,
    })
}

/// Whether the books are those of a demo of this plan.
///
/// # Errors
/// If the store fails.
pub async fn are_for(engine: &Engine, plan: DemoPlan) -> Result<bool, Error> {
    let Some(environment) = engine.environments().await?.into_iter().next() else { return Ok(false) };
    let all = engine.credentials(environment.number).await?;
    Ok(all.iter().any(|credential| credential.name == name_of(plan)))
}

fn name_of(plan: DemoPlan) -> String {
    format!("demo: {plan}")
}

impl Passes {
    /// One line of JSON with all of it.
    pub fn json(&self, url: &str, database: &str) -> String {
        let [owner, viewer, guest] = &self.staff;
        object(|o| {
            o.put("url", url).put("database", database);
            o.object("credentials", |o| {
                o.put("merchantApiKey", &self.merchant_key);
                o.put("customerExternalId", &self.customer_external_id);
                o.put("customerToken", &self.customer);
                o.put("staffToken", owner);
                o.put("readOnlyStaffToken", viewer);
                o.put("noPermissionStaffToken", guest);
                o.put("memberToken", &self.member);
                o.put("orgHandle", &self.handle);
                o.put("productId", self.product);
                o.put("periodsToken", &self.periods_key);
            });
        })
    }

    /// A command for each contract, ready to paste.
    pub fn commands(&self, url: &str) -> String {
        let external_id = utf8_percent_encode(&self.customer_external_id, NON_ALPHANUMERIC);
        let commands = [
            (
                "000  the customer's own payments",
                format!("{url}/api/v1/profile/payments"),
                vec![format!("Authorization: bearer {}", self.customer)],
            ),
            (
                "001  every payment, for the back office",
                format!("{url}/api/v1/admin/payments?limit=10"),
                vec![format!("Authorization: Bearer {}", self.staff[0])],
            ),
            (
                "002  all that a customer has and owes",
                format!("{url}/api/v1/customers/{external_id}/billing"),
                vec![format!("Authorization: {}", self.merchant_key)],
            ),
            (
                "003  billing periods, with retries and reminders",
                format!("{url}/v1/periods?limit=20"),
                vec![format!("Authorization: Bearer {}", self.periods_key)],
            ),
            (
                "004  an organisation's invoices with tax",
                format!("{url}/api/v2/platform/organisation/billing/?page=1&page_size=10"),
                vec![
                    format!("Org-Handle: {}", self.handle),
                    format!("Product-Id: {}", self.product),
                    format!("Authorization: jwt {}", self.member),
                ],
            ),
        ];
        let mut text = String::new();
        for (title, target, headers) in commands {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "# {title}\ncurl -s '{target}'");
            for header in headers {
                let _infallible = write!(text, " \\\n  -H '{header}'");
            }
            text.push_str("\n\n");
        }
        text
    }
}
