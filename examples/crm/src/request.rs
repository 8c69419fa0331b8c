//! What handlers take from a request. What is not as our own pages send it is answered by a page, too.

use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts};

use crate::failure::Failure;

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Failure))]
pub(crate) struct Path<T>(pub(crate) T);

#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Failure))]
pub(crate) struct Query<T>(pub(crate) T);

#[derive(FromRequest)]
#[from_request(via(axum::extract::Form), rejection(Failure))]
pub(crate) struct Form<T>(pub(crate) T);

impl From<PathRejection> for Failure {
    fn from(_: PathRejection) -> Self {
        Failure::not_found()
    }
}

impl From<QueryRejection> for Failure {
    fn from(_: QueryRejection) -> Self {
        Failure::bad_request()
    }
}

impl From<FormRejection> for Failure {
    fn from(_: FormRejection) -> Self {
        Failure::bad_request()
    }
}
