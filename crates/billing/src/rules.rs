//! The rules of the books under which a decision is made.
//!
//! Owns nothing but holds together what is read for that: the policies of `environment` and the tax rates of
//! `catalog`. They are those at the time of the decision, whatever they were when an invoice was issued.

use crate::catalog::TaxRate;
use crate::environment::Environment;

/// The books' rules that hold for a decision.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The environment with its policies.
    pub environment: Environment,
    /// All its tax rates.
    pub tax_rates: Vec<TaxRate>,
}
