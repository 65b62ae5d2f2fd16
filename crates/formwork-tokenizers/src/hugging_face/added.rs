//! Is an added token text? Only where the tokenizer itself spells plain text with it.
//!
//! Files do not say: Gemma's `<b>`, a tag that web pages hold, and its `<unused0>`, a row no text ever used, are marked
//! alike, and so are Qwen's `<tool_call>` and GPT-NeoX's runs of spaces. The rule of this file: an added token is text
//! when it is not marked special and either holds nothing but whitespace, or is an HTML tag that the base vocabulary
//! holds too. Everything else is control, and text that looks like it is spelled with other tokens.

use tokenizers::AddedToken;

/// SentencePiece gives its control pieces (`<unk>`, `<s>`, `</s>`, `<pad>`) the first ids; not all files mark them.
const N_CONTROL_PIECES: u32 = 4;

/// Elements whose tags vocabularies in use hold as single tokens.
#[rustfmt::skip]
const HTML_ELEMENTS: &[&str] = &[
    "a", "b", "blockquote", "body", "caption", "code", "div", "em", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "html",
    "i", "iframe", "img", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "u", "ul",
];

/// Whether the added token `id` is text.
pub(super) fn is_text(token: &AddedToken, id: u32, in_base_vocabulary: bool) -> bool {
    let is_tag = in_base_vocabulary && id >= N_CONTROL_PIECES && is_html_tag(&token.content);
    !token.special && (is_blank(&token.content) || is_tag)
}

/// Whether a token holds nothing but whitespace, `▁` standing for a space.
fn is_blank(content: &str) -> bool {
    !content.is_empty() && content.chars().all(|character| character.is_whitespace() || character == '▁')
}

fn is_html_tag(content: &str) -> bool {
    let inner = content.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| HTML_ELEMENTS.contains(&inner.strip_prefix('/').unwrap_or(inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_and_known_tags_are_text_and_nothing_else() {
        let text = |content: &str, special, in_base| is_text(&AddedToken::from(content, special), 100, in_base);
        for content in ["\n", "\t\t", "   ", "▁▁"] {
            assert!(text(content, false, false) && !text(content, true, true), "{content:?}");
        }
        for content in ["<b>", "</table>", "</s>", "<h1>"] {
            assert!(
                text(content, false, true) && !text(content, false, false) && !text(content, true, true),
                "{content}"
            );
        }
        for content in ["<unused0>", "<mask>", "[multimodal]", "<tool_call>", "<|im_end|>", "", "word"] {
            assert!(!text(content, false, true), "{content}");
        }
    }

    #[test]
    fn control_pieces_of_sentencepiece_are_not_tags() {
        assert!(!is_text(&AddedToken::from("</s>", false), 2, true));
    }
}
