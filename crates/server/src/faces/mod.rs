//! The five contracts. A face parses, makes one call to the engine, and renders; none knows another.

pub mod appexperts;
pub mod flowglad;
pub mod placio;
pub mod plain;
pub mod reply;
pub mod surecart;
pub mod unpod;
