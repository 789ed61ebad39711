//! Every face from the outside: request in, answer out, through the router without a socket.

mod credentials;
mod documents;
mod harness;
mod seeds;
