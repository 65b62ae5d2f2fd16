//! What do the tests of the server share? A server of their own, and a place with Python packages.

// Each test file uses a part of this.
#![allow(dead_code)]

pub(crate) mod python;
pub(crate) mod server;
