//! The people of the seller.

use crate::at::At;
use crate::engine::{Engine, Fut};
use crate::error::Error;
use crate::kind::Kind;
use billing::changes::Changes;
use billing::customer::Staff;
use billing::refusal::{Field, Refusal};

impl Engine {
    /// The person of the seller with an e-mail address; one that is not there yet is made if a role is
    /// given.
    ///
    /// # Errors
    /// If there is nobody of that address and no role, or no such role.
    pub fn staff_of_email(&self, at: At, email: &str, role: Option<String>) -> Fut<'_, Staff> {
        let (environment, email) = (at.environment, email.to_owned());
        Box::pin(async move {
            let all = self
                .store
                .read(move |s| Box::pin(store::environments::staff_list(s, environment)))
                .await
                .map_err(Error::from)?;
            if let Some(staff) = all.into_iter().find(|staff| staff.email == email) {
                return Ok(staff);
            }
            let role = role.ok_or_else(|| Error::none_named(Kind::Staff, &email))?;
            if self.roles(environment).await?.iter().all(|known| known.name != role) {
                return Err(Refusal::invalid(Field::Role, "the name of a role").into());
            }
            let staff = Staff {
                id: self.ctx(at.now).id(0),
                environment,
                name: email.split('@').next().unwrap_or(&email).to_owned(),
                email,
                role,
                disabled: false,
                created_at: at.now,
            };
            let mut changes = Changes::default();
            changes.insert(staff.clone());
            match self.store.commit(changes).await {
                Err(store::Error::Conflict) => Err(Error::Taken { field: "email" }),
                outcome => outcome.map(|_| staff).map_err(Error::from),
            }
        })
    }
}
