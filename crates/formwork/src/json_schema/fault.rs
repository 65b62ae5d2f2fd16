//! Why did a step of the front end stop? A refusal for the caller, or a question asked too early.

use super::document::{Document, NodeId};
use crate::error::{SchemaError, ViolationKind};

/// Why a step stopped.
#[derive(Debug)]
pub(super) enum Fault {
    /// The schema is refused.
    Refused(Box<SchemaError>),
    /// A probe met a schema that is being reduced right now; the prober takes it for "unknown".
    Busy,
    /// A dynamic reference has a choice, and scopes are not followed: the schema is reduced anew with them.
    NeedsScopes,
}

/// What fallible steps return.
pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<SchemaError> for Fault {
    fn from(error: SchemaError) -> Fault {
        Fault::Refused(Box::new(error))
    }
}

impl Fault {
    /// The error that the caller of the front end sees.
    pub(super) fn into_error(self) -> SchemaError {
        match self {
            Fault::Refused(error) => *error,
            Fault::Busy | Fault::NeedsScopes => {
                SchemaError::new(ViolationKind::Reference, "", None, "a reference leads in a circle")
            }
        }
    }

    /// Whether a limit was met, which no prober may hide.
    pub(super) fn is_limit(&self) -> bool {
        match self {
            Fault::Refused(error) => error.is_limit(),
            Fault::Busy => false,
            // No answer counts that was found before.
            Fault::NeedsScopes => true,
        }
    }
}

/// A limit was met at `node`.
pub(super) fn limit(document: &Document<'_>, node: NodeId, setting: &str, limit: usize) -> Fault {
    let reason = format!("limit exceeded: {setting} is {limit}");
    SchemaError::new(ViolationKind::Limit, document.pointer(document.near_root(node)), None, reason).into()
}

/// Something is wrong with a keyword of `node`.
pub(super) fn refusal(
    document: &Document<'_>,
    kind: ViolationKind,
    node: NodeId,
    keyword: &str,
    reason: impl Into<String>,
) -> Fault {
    SchemaError::new(kind, document.pointer(node), Some(keyword), reason).into()
}
