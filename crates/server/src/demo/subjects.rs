//! Who and what a demo is shown with.

use super::plan::DemoPlan;
use super::{cast, goods, shop};
use billing::environment::Environment;
use billing::id::{CustomerId, CustomerUserId, StaffId};
use engine::{At, Engine, Error, Kind};

/// Who stands in the books of a demo, as far as somebody who shows it must know.
#[derive(Debug, Clone)]
pub struct DemoSubjects {
    /// The books.
    pub environment: Environment,
    /// Staff who may do everything, only look, and do nothing.
    pub staff: [StaffId; 3],
    /// The customer that pays in US dollars: its external id, its id and who acts for it.
    pub customer: (String, CustomerId, CustomerUserId),
    /// The organization that pays in rupees: its handle, its id and who acts for it.
    pub organization: (String, CustomerId, CustomerUserId),
    /// The short name of the product that the organization has invoices of.
    pub product: &'static str,
}

/// Who stands in the books of a demo of this plan.
///
/// # Errors
/// If they are not the books of such a demo.
pub async fn find(engine: &Engine, plan: DemoPlan) -> Result<DemoSubjects, Error> {
    let environment = engine
        .environments()
        .await?
        .into_iter()
        .next()
        .ok_or_else(|| Error::none_named(Kind::Environment, 1))?;
    let number = environment.number;
    let mut staff = Vec::with_capacity(shop::STAFF.len());
    for (email, ..) in shop::STAFF {
        staff.push(engine.staff_of_email(At::new(environment.created_at, number), email, None).await?.id);
    }
    let mut leads = Vec::new();
    for role in cast::leads(plan.seed(), plan.span()?, i64::from(plan.customers)) {
        let (id, contact) = (role.person.external_id.clone(), role.person.contact_email());
        let now = environment.created_at;
        let (customer, user) =
            engine.customer_user(At::new(now, number), &id, Some(contact), None, None).await?;
        leads.push((id, customer.id, user.id));
    }
    let customer = leads.first().cloned().ok_or_else(|| Error::none_named(Kind::Customer, "of the demo"))?;
    let (_, organization, member) = leads.last().cloned().unwrap_or_else(|| customer.clone());
    Ok(DemoSubjects {
        environment,
        staff: [staff[0], staff[1], staff[2]],
        customer,
        organization: (cast::ORGANIZATION_HANDLE.to_owned(), organization, member),
        product: goods::MAIN_PRODUCT,
    })
}
