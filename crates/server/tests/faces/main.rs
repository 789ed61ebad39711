//! Every face from the outside: request in, answer out, through the router without a socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod appexperts;
mod around;
mod credentials;
mod documents;
mod flowglad;
mod harness;
mod noise;
mod placio;
mod repeats;
mod seeds;
mod silence;
mod surecart;
mod ticking;
mod unpod;
mod walls;
mod world;
