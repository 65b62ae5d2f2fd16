//! How does a conversation become a prompt? The model's own chat template.
//!
//! Templates are written for Jinja2 as transformers sets it up: blocks are trimmed, `tojson` writes what Python's
//! `json.dumps(..., ensure_ascii=False)` writes, Python's string and dictionary methods are there, and
//! `raise_exception` and `strftime_now` are defined.

use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value as JinjaValue};
use minijinja::{Environment, ErrorKind, context};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::error::{ChatError, LoadError};
use crate::files::{CHAT_TEMPLATE, TOKENIZER_CONFIG, parse_json, read_optional};
use crate::time::strftime_now;

/// Instructions that one rendering may take: a template comes with a model and may be anything.
const FUEL: u64 = 10_000_000;
const NAME: &str = "chat";

/// A compiled chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    start_token: String,
    stop_token: String,
}

impl ChatTemplate {
    /// Compiles a template; the tokens are what `bos_token` and `eos_token` stand for in it.
    ///
    /// # Errors
    /// A template that is malformed.
    pub fn new(source: &str, start_token: &str, stop_token: &str) -> Result<ChatTemplate, ChatError> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(ChatError::new)?;
        environment.set_syntax(syntax);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", |format: &str| strftime_now(format));
        environment.add_filter("tojson", to_json);
        environment.add_template_owned(NAME, source.to_owned()).map_err(ChatError::new)?;
        Ok(ChatTemplate { environment, start_token: start_token.to_owned(), stop_token: stop_token.to_owned() })
    }

    /// The template of the model in a folder; `None` when there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or as [`ChatTemplate::of_model`].
    pub fn from_folder(folder: &Path) -> Result<Option<ChatTemplate>, LoadError> {
        let own = read_optional(&folder.join(CHAT_TEMPLATE))?;
        let tokenizer_config = read_optional(&folder.join(TOKENIZER_CONFIG))?;
        ChatTemplate::of_model(folder, own.as_deref(), tokenizer_config.as_deref())
    }

    /// The template of a model: the file of its own, else the one in `tokenizer_config.json`; `None` when there is none.
    ///
    /// # Errors
    /// A file that is broken, or a template that is malformed; `folder` is what the files are named after.
    pub fn of_model(
        folder: &Path,
        own: Option<&[u8]>,
        tokenizer_config: Option<&[u8]>,
    ) -> Result<Option<ChatTemplate>, LoadError> {
        let config = match tokenizer_config {
            Some(bytes) => parse_json(&folder.join(TOKENIZER_CONFIG), bytes)?,
            None => Value::Null,
        };
        let source = match own {
            Some(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            None => source_in(&config),
        };
        let Some(source) = source else { return Ok(None) };
        Ok(Some(ChatTemplate::new(&source, &token_text(&config, "bos_token"), &token_text(&config, "eos_token"))?))
    }

    /// The prompt that asks for the next answer. `messages` is a list of objects with `role` and `content`, `tools` a
    /// list of tools in the form that OpenAI's API has.
    ///
    /// # Errors
    /// What the template does not accept, or its work exceeding a bound.
    pub fn render(&self, messages: &Value, tools: Option<&Value>) -> Result<String, ChatError> {
        let template = self.environment.get_template(NAME).map_err(ChatError::new)?;
        let values = context! {
            messages => JinjaValue::from(Serde(messages)),
            tools => JinjaValue::from(Serde(tools)),
            add_generation_prompt => true,
            bos_token => self.start_token.as_str(),
            eos_token => self.stop_token.as_str(),
        };
        template.render(values).map_err(ChatError::new)
    }
}

/// `chat_template` as text, or the default one of a list with names.
fn source_in(config: &Value) -> Option<String> {
    let template = config.get("chat_template")?;
    let named = || {
        let templates = template.as_array()?;
        let default = templates.iter().find(|template| template["name"] == "default").or(templates.first())?;
        default["template"].as_str()
    };
    template.as_str().or_else(named).map(str::to_owned)
}

/// A token that is given as text, or as an object with its text.
fn token_text(config: &Value, name: &str) -> String {
    let token = config.get(name).unwrap_or(&Value::Null);
    token.as_str().or_else(|| token["content"].as_str()).unwrap_or_default().to_owned()
}

fn raise_exception(message: String) -> Result<JinjaValue, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
}

fn to_json(value: &JinjaValue, options: Kwargs) -> Result<String, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    // Templates pass Python's other options too; none of them changes how text is written here.
    let mut out = Vec::new();
    let failed = |error: serde_json::Error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string());
    match indent {
        Some(n_spaces) => {
            let spaces = vec![b' '; n_spaces.min(16)];
            let formatter = PrettyFormatter::with_indent(&spaces);
            value.serialize(&mut Serializer::with_formatter(&mut out, formatter)).map_err(failed)?;
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut out, PythonFormatter)).map_err(failed)?,
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// `", "` and `": "`, as Python's `json.dumps` separates.
struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(source: &str) -> Result<String, ChatError> {
        let messages = json!([{"role": "user", "content": " a<b é "}]);
        let tools = json!([{"name": "f", "keys": ["b", "a"], "none": null}]);
        ChatTemplate::new(source, "<s>", "</s>")?.render(&messages, Some(&tools))
    }

    #[test]
    fn messages_are_rendered() {
        let source = "{{ bos_token }}\n{% for m in messages %}\n  {%- if m.role == 'user' %}\n[{{ m['content'].strip() }}]\n\
                      {% endif %}{% endfor %}{% if add_generation_prompt %}>{% endif %}";
        assert_eq!(rendered(source).unwrap(), "<s>\n[a<b é]\n>");
    }

    #[test]
    fn json_is_written_as_python_does() {
        let source = "{{ tools[0] | tojson }}{{ messages[0].content | tojson(ensure_ascii=False) }}";
        assert_eq!(rendered(source).unwrap(), r#"{"name": "f", "keys": ["b", "a"], "none": null}" a<b é ""#);
        assert_eq!(rendered("{{ {'a': 1} | tojson(indent=2) }}").unwrap(), "{\n  \"a\": 1\n}");
    }

    #[test]
    fn faults_are_one_line() {
        let refused = rendered("{{ raise_exception('roles must alternate') }}").unwrap_err();
        assert!(refused.reason.contains("roles must alternate"), "{refused}");
        let malformed = rendered("{% for %}").unwrap_err();
        assert!(!malformed.to_string().contains('\n'), "{malformed}");
        let endless = rendered("{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}");
        assert!(endless.is_err());
    }

    #[test]
    fn the_default_of_several_templates_is_taken() {
        let config =
            json!({"chat_template": [{"name": "tool", "template": "t"}, {"name": "default", "template": "d"}]});
        assert_eq!(source_in(&config).as_deref(), Some("d"));
        assert_eq!(token_text(&json!({"bos_token": {"content": "<s>"}}), "bos_token"), "<s>");
    }
}
