//! How is an output of several parts written in the catalogue? Objects of one key, as deep as they like.

use formwork::{Grammar, Marker, Structure, Tag, TagCount};
use serde_json::Value;

/// The structure that `value` describes.
///
/// # Errors
/// When it describes none.
pub(super) fn read(value: &Value) -> Result<Structure, String> {
    let parts = |value: &Value| -> Result<Vec<Structure>, String> {
        value.as_array().ok_or("a list is wanted")?.iter().map(read).collect()
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| format!("no text: {value}"));
    let members = value.as_object().ok_or("an object is wanted")?;
    let number = |name: &str| members.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let (kind, inner) = members.iter().next().ok_or("an empty object")?;
    Ok(match kind.as_str() {
        "text" => Structure::text(text(inner)?),
        "regex" => Grammar::regex(text(inner)?).into(),
        "schema" => Grammar::json_schema(inner.clone()).into(),
        "sequence" => Structure::sequence(parts(inner)?),
        "choice" => Structure::choice(parts(inner)?),
        "repeat" => read(inner)?.repeated(number("min").ok_or("a repetition without min")?, number("max")),
        "free" => {
            let texts: Result<Vec<String>, String> = inner.as_array().into_iter().flatten().map(text).collect();
            Structure::free(texts?)
        }
        "tags" => {
            let tag = |value: &Value| -> Result<Tag, String> {
                let content = Grammar::json_schema(value["schema"].clone()).into();
                Ok(Tag {
                    begin: Marker::Text(text(&value["begin"])?),
                    content,
                    end: Marker::Text(text(&value["end"])?),
                })
            };
            let tags: Result<Vec<Tag>, String> = inner.as_array().into_iter().flatten().map(tag).collect();
            Structure::tagged_text(tags?, TagCount::Any)
        }
        _ => return Err(format!("no such part: {kind}")),
    })
}
