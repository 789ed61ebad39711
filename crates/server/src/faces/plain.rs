//! Failures that have no more to say than their status, in the words of each face.

use super::{appexperts, flowglad, placio, surecart, unpod};
use crate::body::Body;
use crate::face::Face;
use http::{Response, StatusCode};

/// A failure that has no more to say than its status: no route, no method, a panic, a time-out.
pub fn error(face: Face, status: StatusCode) -> Response<Body> {
    match face {
        Face::AppExperts => appexperts::error::plain(status),
        Face::Placio => placio::error::plain(status),
        Face::Flowglad => flowglad::error::plain(status),
        Face::SureCart => surecart::error::plain(status),
        Face::Unpod => unpod::error::plain(status),
        Face::Web => text(status),
    }
}

fn text(status: StatusCode) -> Response<Body> {
    let words = status.canonical_reason().unwrap_or("Error");
    let mut response = Response::new(Body::from(format!("{words}\n")));
    *response.status_mut() = status;
    response
}
