//! The wire as a client sees it: JSON verbose form, URLs and error codes.
