//! Every face from the outside: request in, answer out, through the router without a socket.

mod appexperts;
mod credentials;
mod documents;
mod flowglad;
mod fuzz_requests;
mod idempotency;
mod middleware;
mod placio;
mod response_cache;
mod surecart;
mod tenant_isolation;
mod ticker;
mod unpod;
