//! How is JSON laid out? As models write it most: one space after commas and colons, and none elsewhere.

use formwork::json_schema::{Layout, SchemaOptions};

/// Leaves no choice between tokens that differ by white space alone, so more of the text is forced.
pub(crate) const LAYOUT: Layout = Layout::SPACED;

/// All that the engine enforces, in this layout.
pub(crate) fn options() -> SchemaOptions {
    SchemaOptions { layout: LAYOUT, ..SchemaOptions::default() }
}
