//! Lists as people read them.

mod invoices;
mod payments;
mod periods;

pub use invoices::{CustomerInvoice, CustomerInvoices, PlanState, ProductName};
pub(crate) use payments::customer;
pub use payments::{CustomerName, Filter, Takings};
