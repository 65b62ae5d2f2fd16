//! Can the file's post-processor be run at all? The library checks a template where one is built, not where one is read.

use serde_json::Value;
use tokenizers::{Tokenizer, processors::PostProcessorWrapper};

use crate::error::TokenizerError;

/// Refuses what would be a panic when a text is cut.
pub(super) fn check(tokenizer: &Tokenizer) -> Result<(), TokenizerError> {
    let Some(processor) = tokenizer.get_post_processor() else { return Ok(()) };
    if count_templates(processor)? > 1 {
        return Err(TokenizerError::malformed("a template behind a template in the post-processor"));
    }
    Ok(())
}

/// The number of templates, each of which is looked at.
fn count_templates(processor: &PostProcessorWrapper) -> Result<usize, TokenizerError> {
    match processor {
        PostProcessorWrapper::Template(template) => {
            check_template(&serde_json::to_value(template).map_err(TokenizerError::malformed)?).map(|()| 1)
        }
        PostProcessorWrapper::Sequence(steps) => {
            steps.as_ref().iter().try_fold(0, |sum, step| Ok(sum + count_templates(step)?))
        }
        _ => Ok(0),
    }
}

fn check_template(template: &Value) -> Result<(), TokenizerError> {
    for piece in template["single"].as_array().into_iter().flatten() {
        if piece["Sequence"]["id"] == "B" {
            return Err(TokenizerError::malformed("the post-processor's template for one text names a second"));
        }
        let special = piece["SpecialToken"]["id"].as_str();
        if let Some(name) = special.filter(|name| template["special_tokens"].get(name).is_none()) {
            let reason = format!("the post-processor's template names {name:?} and does not say what it is");
            return Err(TokenizerError::malformed(reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reason(processor: Value) -> String {
        let file = json!({
            "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, "decoder": null,
            "post_processor": processor,
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []},
        });
        let tokenizer = Tokenizer::from_bytes(file.to_string()).unwrap();
        check(&tokenizer).err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn template(single: Value) -> Value {
        let start = json!({"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}});
        json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": start})
    }

    #[test]
    fn templates_that_cannot_be_run_are_refused() {
        let special = |name: &str| json!({"SpecialToken": {"id": name, "type_id": 0}});
        let text = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
        let good = template(json!([special("<s>"), text("A")]));
        assert_eq!(reason(good.clone()), "");
        let byte_level = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false});
        assert_eq!(reason(json!({"type": "Sequence", "processors": [byte_level, good]})), "");
        assert!(reason(template(json!([special("</s>"), text("A")]))).contains("\"</s>\""));
        assert!(reason(template(json!([text("A"), text("B")]))).contains("names a second"));
        assert!(reason(json!({"type": "Sequence", "processors": [good, good]})).contains("behind a template"));
    }
}
