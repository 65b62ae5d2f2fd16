//! What do the official metaschemas say? The published documents, parsed when a reference first reaches one.

use std::sync::OnceLock;

use serde_json::Value;

/// A published document.
struct Published {
    /// Its address, without scheme and fragment.
    path: &'static str,
    text: &'static str,
    parsed: OnceLock<Option<Value>>,
}

macro_rules! published {
    ($($path:literal $file:literal;)*) => {
        static PUBLISHED: [Published; [$($path),*].len()] = [
            $(Published { path: $path, text: include_str!(concat!("metaschemas/", $file)), parsed: OnceLock::new() }),*
        ];
    };
}

published! {
    "json-schema.org/draft-04/schema" "draft-04.json";
    "json-schema.org/draft-06/schema" "draft-06.json";
    "json-schema.org/draft-07/schema" "draft-07.json";
    "json-schema.org/draft/2019-09/schema" "draft2019-09/schema.json";
    "json-schema.org/draft/2019-09/meta/applicator" "draft2019-09/applicator.json";
    "json-schema.org/draft/2019-09/meta/content" "draft2019-09/content.json";
    "json-schema.org/draft/2019-09/meta/core" "draft2019-09/core.json";
    "json-schema.org/draft/2019-09/meta/format" "draft2019-09/format.json";
    "json-schema.org/draft/2019-09/meta/meta-data" "draft2019-09/meta-data.json";
    "json-schema.org/draft/2019-09/meta/validation" "draft2019-09/validation.json";
    "json-schema.org/draft/2020-12/schema" "draft2020-12/schema.json";
    "json-schema.org/draft/2020-12/meta/applicator" "draft2020-12/applicator.json";
    "json-schema.org/draft/2020-12/meta/content" "draft2020-12/content.json";
    "json-schema.org/draft/2020-12/meta/core" "draft2020-12/core.json";
    "json-schema.org/draft/2020-12/meta/format-annotation" "draft2020-12/format-annotation.json";
    "json-schema.org/draft/2020-12/meta/format-assertion" "draft2020-12/format-assertion.json";
    "json-schema.org/draft/2020-12/meta/meta-data" "draft2020-12/meta-data.json";
    "json-schema.org/draft/2020-12/meta/unevaluated" "draft2020-12/unevaluated.json";
    "json-schema.org/draft/2020-12/meta/validation" "draft2020-12/validation.json";
}

/// The metaschema of that address (without fragment), if it is one.
pub(super) fn metaschema(uri: &str) -> Option<&'static Value> {
    let path = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
    let published = PUBLISHED.iter().find(|published| published.path == path)?;
    published.parsed.get_or_init(|| serde_json::from_str(published.text).ok()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_the_document_that_it_says() {
        for published in &PUBLISHED {
            let uri = format!("https://{}", published.path);
            let document = metaschema(&uri).expect("every metaschema is JSON");
            let id = document.get("$id").or_else(|| document.get("id")).and_then(Value::as_str).unwrap();
            let path = id.trim_end_matches('#').split_once("://").unwrap().1;
            assert_eq!(path, published.path);
        }
    }
}
