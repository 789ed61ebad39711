//! Who may ask, and what was answered.

use super::check::Check;
use super::label::label;
use super::{Audit, PAGE};
use crate::error::Error;
use billing::credential::Bearer;

impl Audit<'_> {
    pub(super) async fn access(&mut self) -> Result<(), Error> {
        let numbers: Vec<i64> = self.books.iter().map(|rules| rules.environment.number).collect();
        for environment in numbers {
            for (credential, there) in store::audit::credentials(self.s, environment).await? {
                let subject = || label("credential", credential.id);
                let is_key = credential.bearer == Bearer::Key;
                self.findings
                    .look(Check::Credentials, environment, &subject)
                    .holds("standing for someone", there)
                    .same("having a hash, as only keys have", credential.hash.is_some(), is_key)
                    .same("opening something, as only keys do", !credential.scopes.is_empty(), is_key);
            }
        }
        let mut after = (i64::MIN, String::new());
        loop {
            let mut page = store::audit::requests(self.s, (after.0, &after.1), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.environment, last.key.clone());
            page.retain(|request| self.covers(request.environment));
            for request in &page {
                let subject = || format!("the request of key {:?}", request.key);
                self.findings
                    .look(Check::Requests, request.environment, &subject)
                    .same("the bytes of its fingerprint", request.fingerprint_bytes, 32)
                    .holds("having changed something", request.resource != 0)
                    .same(
                        "having an answer, as its status says",
                        request.has_answer,
                        request.status.is_some(),
                    )
                    .holds(
                        "its status being one",
                        request.status.is_none_or(|status| (100..600).contains(&status)),
                    );
            }
            self.report_progress("answered requests", page.len());
        }
    }
}
