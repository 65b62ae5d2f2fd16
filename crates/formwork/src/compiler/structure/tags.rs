//! How are calls between markers said in one go? Free text until a tag begins, and the tag exactly.

use super::{Marker, Structure};

/// A part of an output between two markers, such as a call of a tool.
#[derive(Clone, Debug)]
pub struct Tag {
    /// What it begins with. Free text does not hold it: where it stands, the tag has begun.
    pub begin: Marker,
    /// What stands in it.
    pub content: Structure,
    /// What it ends with; the empty text where its content tells the end.
    pub end: Marker,
}

/// How many tags an output holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagCount {
    /// Any number, with free text before, between and behind them.
    #[default]
    Any,
    /// One or more, with free text before, between and behind them.
    AtLeastOne,
    /// One or none, with free text before it and nothing behind it.
    AtMostOne,
    /// One, with free text before it and nothing behind it.
    One,
}

impl Structure {
    /// Free text with tags in it: whatever begins like one of `tags` is one.
    pub fn tagged_text(tags: impl IntoIterator<Item = Tag>, count: TagCount) -> Structure {
        let tags: Vec<Tag> = tags.into_iter().collect();
        let free = Structure::free(tags.iter().map(|tag| tag.begin.clone()));
        let tag = Structure::choice(tags.into_iter().map(Structure::from));
        let tagged = match count {
            TagCount::One => tag,
            TagCount::AtMostOne => tag.optional(),
            TagCount::Any => Structure::sequence([tag, free.clone()]).repeated(0, None),
            TagCount::AtLeastOne => Structure::sequence([tag, free.clone()]).repeated(1, None),
        };
        Structure::sequence([free, tagged])
    }
}

impl From<Tag> for Structure {
    fn from(tag: Tag) -> Structure {
        Structure::sequence([tag.begin.into(), tag.content, tag.end.into()])
    }
}
