//! Credentials.

use crate::{Error, Param, Row};
use billing::credential::Credential;

record! { ($)
    credentials: Credential, credential_columns;
    environment |row| Some(row.environment);
    key { id: Id }
    once {
        environment: Int,
        bearer: Holder = (kind, customer_id, user_id),
        name: Text,
        hint: Text,
        hash: Opt<Digest>,
        scopes: Scopes,
        expires_at: Opt<Time>,
        created_at: Time,
    }
    mutable { revoked_at: Opt<Time>, last_used_at: Opt<Time> }
}
