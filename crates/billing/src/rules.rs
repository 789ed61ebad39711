//! The rules of the books under which a decision is made.

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
