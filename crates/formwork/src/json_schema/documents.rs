//! Which documents may a schema refer to? A store that the caller fills: nothing is ever fetched.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::uri;

/// Schema documents by their URI, for references that lead outside a schema.
///
/// Cheap to clone. The metaschemas of all drafts need not be put in. A document without `$schema` is read in the dialect of
/// the schema that refers to it.
///
/// ```
/// use formwork::Grammar;
/// use formwork::json_schema::Documents;
/// use serde_json::json;
///
/// let mut documents = Documents::new();
/// documents.insert("https://example.com/name.json", json!({"type": "string", "minLength": 1}));
/// let schema = json!({"properties": {"name": {"$ref": "https://example.com/name.json"}}});
/// let grammar = Grammar::json_schema(schema).with_documents(documents);
/// ```
#[derive(Clone, Default)]
pub struct Documents {
    store: Arc<Store>,
}

#[derive(Clone, Default)]
struct Store {
    documents: BTreeMap<String, Value>,
    /// For each `$id` of a whole document that differs from its URI, that URI.
    ids: BTreeMap<String, String>,
    /// All of it as text, where that was asked for.
    text: OnceLock<Arc<str>>,
}

impl Documents {
    /// None.
    pub fn new() -> Documents {
        Documents::default()
    }

    /// Adds a document, or puts it in the place of the one with the same URI. It is found by `uri`, whose fragment does not
    /// matter, and by its own `$id`.
    pub fn insert(&mut self, uri: impl AsRef<str>, document: impl Into<Value>) {
        let (uri, _) = uri::split_fragment(uri.as_ref());
        let (uri, document) = (uri.to_owned(), document.into());
        let store = Arc::make_mut(&mut self.store);
        store.text = OnceLock::new();
        store.ids.retain(|_, target| *target != uri);
        let id = document.get("$id").or_else(|| document.get("id")).and_then(Value::as_str);
        if let Some(id) = id {
            let id = uri::resolve(&uri, uri::split_fragment(id).0);
            store.ids.entry(id).or_insert_with(|| uri.clone());
        }
        store.documents.insert(uri, document);
    }

    /// The document that is found by `uri` (without fragment), with the URI that it was put in under.
    pub fn get(&self, uri: &str) -> Option<(&str, &Value)> {
        let store = &*self.store;
        let found = store.documents.get_key_value(uri);
        let (uri, document) = found.or_else(|| store.documents.get_key_value(store.ids.get(uri)?))?;
        Some((uri, document))
    }

    /// Under which URIs they were put in, sorted.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.store.documents.keys().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.store.documents.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.store.documents.len()
    }

    /// Equal for equal documents: made once, however often it is asked for.
    pub(crate) fn text(&self) -> &str {
        self.store.text.get_or_init(|| {
            let documents = self.store.documents.iter();
            documents.map(|(uri, document)| format!("{uri} {document}\n")).collect::<String>().into()
        })
    }
}

impl PartialEq for Documents {
    fn eq(&self, other: &Documents) -> bool {
        Arc::ptr_eq(&self.store, &other.store) || self.store.documents == other.store.documents
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.store.documents.keys()).finish()
    }
}

impl<U: AsRef<str>> FromIterator<(U, Value)> for Documents {
    fn from_iter<I: IntoIterator<Item = (U, Value)>>(documents: I) -> Documents {
        let mut all = Documents::new();
        documents.into_iter().for_each(|(uri, document)| all.insert(uri, document));
        all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_found_by_its_address_and_by_its_id() {
        let mut documents = Documents::new();
        documents.insert("http://a/b.json#", json!({"$id": "/c.json"}));
        let shared = documents.clone();
        documents.insert("http://a/d.json", json!(true));
        assert_eq!(documents.get("http://a/c.json"), documents.get("http://a/b.json"));
        assert!(documents.get("http://a/c.json").is_some_and(|(uri, _)| uri == "http://a/b.json"));
        assert!(shared.get("http://a/d.json").is_none(), "a clone keeps what it had");
        documents.insert("http://a/b.json", json!({}));
        assert!(documents.get("http://a/c.json").is_none(), "its document is gone");
        assert_ne!(documents.text(), shared.text());
    }
}
