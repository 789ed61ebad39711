//! Lists as people read them.

mod invoices;
pub(crate) mod payments;
mod periods;

pub use invoices::{CustomerInvoice, CustomerInvoices, PlanState, ProductName};
pub use payments::{CustomerName, Filter, PaymentTotals};
