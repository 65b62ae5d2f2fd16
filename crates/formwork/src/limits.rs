//! How much may one input cost? Every bound that input can reach, its default and the cost of one unit.

/// Bounds on what one schema, one grammar and one sequence may cost.
///
/// Exceeding one is a typed error for that request alone, which names the limit's field and its value: while a grammar is
/// compiled, a [`CompileError`](crate::CompileError) whose `is_limit` is true; at a mask or a step, a
/// [`MatchError::Limit`](crate::MatchError::Limit) that leaves the matcher as it was. What each can be met by stands with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of the schema document, and of a structure (default 512). One level costs a stack frame of the front end.
    /// Met while compiling.
    pub max_schema_depth: usize,
    /// Schema nodes visited while a schema is normalised and lowered (default 2,000,000; about 100 ns each). Met while
    /// compiling.
    pub max_schema_steps: usize,
    /// Expression nodes of a grammar after lowering (default 4,000,000; about 50 bytes each). Met while compiling.
    pub max_grammar_nodes: usize,
    /// Bytes of one regular expression's compiled automaton (default 4 MiB). Met while compiling.
    pub max_regex_bytes: usize,
    /// States of one lazily determinised automaton (default 100,000; about 100 bytes each). Met while compiling, where
    /// languages are related or searched for a first word, and at masks and steps that reach one state more. For sequences
    /// that begin when seven eighths are taken, a grammar is compiled anew.
    pub max_automaton_states: usize,
    /// Items of one item set (default 20,000; 24 bytes each). Met at masks and steps.
    pub max_items: usize,
    /// Lexer entries of one configuration (default 4,096; 24 bytes each). Met at masks and steps.
    pub max_entries: usize,
    /// Keys of one object, and elements of one list, that must differ from each other (default 65,536; about 500 bytes each).
    /// Met at masks and steps.
    pub max_unique: usize,
    /// Automaton steps while one mask is computed or one token accepted (default 800,000; about 15 ns each, states that an
    /// automaton makes on the way counted by what they cost). Met at masks and steps; what was found out until then is kept,
    /// so that asking again gets further, unless a single search takes more.
    pub max_mask_steps: usize,
    /// Steps of the search for a way to complete one list or record whose elements or keys depend on each other, at one
    /// place (default 1,000,000; about 10 ns each). While a grammar is compiled, all of them together may take 16 times as
    /// many. Met while compiling, and at masks and steps.
    pub max_completion_steps: usize,
    /// Bytes that are read while one way to complete a text is looked for (default 1,000,000; about 1 us each).
    pub max_completion_bytes: usize,
    /// Bytes of the caches of one compiled grammar (default 24 MiB). A full cache is started anew with what the live matchers
    /// Bytes of the caches of one compiled grammar (default 24 MiB). A full cache is started anew with what the live matchers
    /// hold; where that alone is more than half of the bound, with room for as much again. The full one stays alive as long as
    /// matchers stand in it, or have not taken the positions that they can roll back to out of it: they do with the next steps.
    /// No error: it costs time.
    pub max_cache_bytes: usize,
    /// Accepted tokens that one matcher can roll back (default 1,000,000; 12 bytes each). The oldest are forgotten; rolling
    /// back further than that is a [`MatchError::Rollback`](crate::MatchError::Rollback).
    pub max_history: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_schema_depth: 512,
            max_schema_steps: 2_000_000,
            max_grammar_nodes: 4_000_000,
            max_regex_bytes: 4 << 20,
            max_automaton_states: 100_000,
            max_items: 20_000,
            max_entries: 4_096,
            max_unique: 1 << 16,
            max_mask_steps: 800_000,
            max_completion_steps: 1_000_000,
            max_completion_bytes: 1_000_000,
            max_cache_bytes: 24 << 20,
            max_history: 1_000_000,
        }
    }
}
