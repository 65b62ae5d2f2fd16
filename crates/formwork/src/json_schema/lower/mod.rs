//! Which grammar describes a union of shapes? One nonterminal for each conjunction that is reached, from a worklist.
//!
//! Children are lowered after their parents and never inside them, so that neither a deep schema nor a recursive one
//! deepens the stack.

mod array;
mod object;

use std::rc::Rc;

use super::SchemaOptions;
use super::document::NodeId;
use super::fault::{Fault, Result};
use super::keyword::Keyword;
use super::literal;
use super::reduce::Reducer;
use super::shape::{Alternatives, ConjId, NumberSet, NumberShape, Residues, StringSet, StringShape, Union};
use crate::automata::{Escapes, NumberForm, NumberSpec, Numbers, StringSpec, Terminal, join_strings};
use crate::grammar::{Case, Expr, GrammarBuilder, List, OtherKeys, Record};
use crate::hash::{HashMap, Seeded};
use crate::ids::{NonterminalId, TerminalId};

/// Most ways to read one value.
const MAX_CASES: usize = 64;

/// The brackets and separators of JSON in the layout that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Punctuation {
    pub(super) open_array: TerminalId,
    pub(super) close_array: TerminalId,
    pub(super) open_object: TerminalId,
    pub(super) close_object: TerminalId,
    pub(super) separator: TerminalId,
    pub(super) assign: TerminalId,
}

/// Nonterminals for what is not constrained.
#[derive(Clone, Copy, Debug)]
struct Free {
    value: NonterminalId,
    array: NonterminalId,
    object: NonterminalId,
}

/// Builds the grammar.
pub(super) struct Lowerer<'r, 'a> {
    reducer: &'r mut Reducer<'a>,
    builder: GrammarBuilder,
    punctuation: Punctuation,
    nonterminals: HashMap<ConjId, Option<NonterminalId>>,
    of_terminal: HashMap<TerminalId, NonterminalId>,
    free: Option<Free>,
    free_string: Option<NonterminalId>,
    work: Vec<(NonterminalId, Rc<Union<'a>>, NodeId)>,
    /// The first nonterminal that turned out to derive nothing.
    dead: Option<NonterminalId>,
}

impl<'r, 'a> Lowerer<'r, 'a> {
    pub(super) fn new(reducer: &'r mut Reducer<'a>) -> Lowerer<'r, 'a> {
        let mut builder = GrammarBuilder::new();
        let punctuation = punctuation(&mut builder, reducer.options);
        Lowerer {
            reducer,
            builder,
            punctuation,
            nonterminals: HashMap::with_capacity_and_hasher(14, Seeded),
            of_terminal: HashMap::with_capacity_and_hasher(8, Seeded),
            free: None,
            free_string: None,
            work: Vec::new(),
            dead: None,
        }
    }

    /// The nonterminal of a conjunction, whose body may follow in [`Lowerer::finish`]; `None` where nothing fits.
    pub(super) fn nonterminal(&mut self, conj: ConjId) -> Result<Option<NonterminalId>> {
        if let Some(known) = self.nonterminals.get(&conj) {
            return Ok(*known);
        }
        let union = self.reducer.union_of(conj)?;
        let nonterminal = if union.is_none() {
            None
        } else if union.is_any() {
            Some(self.free().value)
        } else if union.is_any_string() {
            Some(self.free_string())
        } else if let Some(terminal) = self.only_terminal(&union)? {
            Some(self.terminal_nonterminal(terminal))
        } else {
            let declared = self.builder.declare(String::new());
            self.work.push((declared, union, self.reducer.node_of(conj)));
            Some(declared)
        };
        self.nonterminals.insert(conj, nonterminal);
        Ok(nonterminal)
    }

    /// The nonterminal of a union that is no conjunction's own.
    pub(super) fn declare_union(&mut self, union: Union<'a>) -> NonterminalId {
        let declared = self.builder.declare(String::new());
        self.work.push((declared, Rc::new(union), NodeId(0)));
        declared
    }

    pub(super) fn punctuation(&self) -> Punctuation {
        self.punctuation
    }

    /// How strings may be spelled.
    pub(super) fn escapes(&self) -> Escapes {
        self.reducer.options.layout.escapes
    }

    pub(super) fn builder_mut(&mut self) -> &mut GrammarBuilder {
        &mut self.builder
    }

    pub(super) fn reducer_mut(&mut self) -> &mut Reducer<'a> {
        self.reducer
    }

    pub(super) fn into_builder(self) -> GrammarBuilder {
        self.builder
    }

    /// Gives a body to everything that has none yet.
    pub(super) fn finish(&mut self) -> Result<()> {
        while let Some((nonterminal, union, place)) = self.work.pop() {
            self.reducer.place = place;
            let body = self.body(&union)?;
            if body == Expr::Never && self.dead.is_none() {
                self.dead = Some(nonterminal);
            }
            self.define(nonterminal, body);
        }
        Ok(())
    }

    /// The refusal of what takes more than a grammar can hold.
    fn too_many(&mut self, keyword: Keyword, reason: &'static str) -> Fault {
        let residue = self.reducer.residue(self.reducer.place, keyword, reason);
        self.reducer.refused(residue)
    }

    fn define(&mut self, nonterminal: NonterminalId, body: Expr) {
        let defined = self.builder.define(nonterminal, body);
        debug_assert!(defined.is_ok(), "the worklist holds every nonterminal once");
    }

    fn terminal_nonterminal(&mut self, terminal: TerminalId) -> NonterminalId {
        if let Some(known) = self.of_terminal.get(&terminal) {
            return *known;
        }
        let nonterminal = self.builder.nonterminal(String::new(), Expr::Terminal(terminal));
        self.of_terminal.insert(terminal, nonterminal);
        nonterminal
    }

    /// Whether the body of the start turned out to be nothing.
    pub(super) fn dead_root(&self, start: Option<NonterminalId>) -> bool {
        start.is_some() && start == self.dead
    }

    /// The terminal that alone is the union, where one is.
    fn only_terminal(&mut self, union: &Union<'a>) -> Result<Option<TerminalId>> {
        if !union.arrays.is_none() || !union.objects.is_none() {
            return Ok(None);
        }
        Ok(match self.scalars(union)?[..] {
            [Expr::Terminal(terminal)] => Some(terminal),
            _ => None,
        })
    }

    /// The body for a union.
    fn body(&mut self, union: &Union<'a>) -> Result<Expr> {
        let mut choices = self.scalars(union)?;
        match &union.arrays {
            Alternatives::Any => choices.push(Expr::Nonterminal(self.free().array)),
            Alternatives::Of(shapes) => {
                for shape in shapes {
                    choices.extend(self.array(shape)?);
                }
            }
        }
        match &union.objects {
            Alternatives::Any => choices.push(Expr::Nonterminal(self.free().object)),
            Alternatives::Of(shapes) => {
                for shape in shapes {
                    choices.extend(self.object(shape)?);
                }
            }
        }
        Ok(choice(choices))
    }

    /// Terminals for the scalars; all constants are one of them.
    fn scalars(&mut self, union: &Union<'a>) -> Result<Vec<Expr>> {
        let mut constants: Vec<Vec<u8>> = Vec::new();
        let mut terminals = Vec::new();
        if union.null {
            constants.push(b"null".to_vec());
        }
        for (boolean, text) in [(false, "false"), (true, "true")] {
            if union.booleans[usize::from(boolean)] {
                constants.push(text.into());
            }
        }
        self.numbers(&union.numbers, &mut constants, &mut terminals)?;
        self.strings(&union.strings, &mut constants, &mut terminals)?;
        let mut scalars = Vec::with_capacity(terminals.len() + 1);
        if let Some(terminal) = constant_terminal(constants) {
            scalars.push(Expr::Terminal(self.builder.terminal(terminal)));
        }
        for terminal in terminals {
            let terminal = Expr::Terminal(self.builder.terminal(terminal));
            if !scalars.contains(&terminal) {
                scalars.push(terminal);
            }
        }
        Ok(scalars)
    }

    fn numbers(
        &mut self,
        numbers: &Alternatives<NumberShape<'a>>,
        constants: &mut Vec<Vec<u8>>,
        terminals: &mut Vec<Terminal>,
    ) -> Result<()> {
        if numbers.is_any() {
            terminals.push(number_terminal(self.reducer.options, NumberSpec::default()));
        }
        for shape in numbers.shapes() {
            self.settle(&shape.residues)?;
            match &shape.set {
                NumberSet::Finite(numbers) if self.reducer.options.layout.numbers == Numbers::Plain => {
                    constants.extend(numbers.iter().map(|number| number.text.as_bytes().to_vec()));
                }
                NumberSet::Finite(numbers) => {
                    for form in [NumberForm::Free, NumberForm::Digits, NumberForm::NotDigits] {
                        let of_form = numbers.iter().filter(|number| number.form == form);
                        let mut values: Vec<_> = of_form.map(|number| number.value.clone()).collect();
                        values.sort_unstable();
                        values.dedup();
                        if !values.is_empty() {
                            let spec = NumberSpec { values: Some(values), form, ..NumberSpec::default() };
                            terminals.push(number_terminal(self.reducer.options, spec));
                        }
                    }
                }
                NumberSet::Spec(spec) => terminals.push(number_terminal(self.reducer.options, spec.clone())),
            }
        }
        Ok(())
    }

    fn strings(
        &mut self,
        strings: &Alternatives<StringShape<'a>>,
        constants: &mut Vec<Vec<u8>>,
        terminals: &mut Vec<Terminal>,
    ) -> Result<()> {
        if strings.is_any() {
            terminals.push(string_terminal(self.reducer.options, StringSpec::default()));
        }
        let mut specs = Vec::new();
        for shape in strings.shapes() {
            self.settle(&shape.residues)?;
            match &shape.set {
                StringSet::Finite(words) => {
                    let escapes = self.escapes();
                    constants.extend(words.iter().map(|word| literal::string(word, escapes)));
                }
                StringSet::Spec(spec) => specs.push(spec.clone()),
            }
        }
        terminals.extend(join_strings(specs).into_iter().map(|spec| string_terminal(self.reducer.options, spec)));
        Ok(())
    }

    /// Refuses what cannot be enforced, or notes that it is left out.
    fn settle(&mut self, residues: &Residues) -> Result<()> {
        residues.iter().try_for_each(|residue| self.reducer.settle(*residue))
    }

    /// The nonterminal for any string: the commonest of all, so that it is not looked up by its terminal.
    fn free_string(&mut self) -> NonterminalId {
        if let Some(known) = self.free_string {
            return known;
        }
        let terminal = self.builder.terminal(string_terminal(self.reducer.options, StringSpec::default()));
        let nonterminal = self.terminal_nonterminal(terminal);
        self.free_string = Some(nonterminal);
        nonterminal
    }

    /// The nonterminals for unconstrained values, made when first asked for.
    fn free(&mut self) -> Free {
        if let Some(free) = self.free {
            return free;
        }
        let free = Free {
            value: self.builder.declare("any value"),
            array: self.builder.declare("any array"),
            object: self.builder.declare("any object"),
        };
        let (array, object) =
            free_composites(&mut self.builder, self.reducer.options, self.punctuation, Some(free.value));
        self.define(free.array, array);
        self.define(free.object, object);
        let value = free_value(&mut self.builder, self.reducer.options, Some((free.array, free.object)));
        self.define(free.value, value);
        self.nonterminals.insert(ConjId::TRUE, Some(free.value));
        self.free = Some(free);
        free
    }
}

/// A grammar of any JSON object, of at most `max_levels` levels of brackets.
pub(super) fn any_object(options: &SchemaOptions, max_levels: Option<u32>) -> (GrammarBuilder, NonterminalId) {
    let mut builder = GrammarBuilder::new();
    let punctuation = punctuation(&mut builder, options);
    let Some(max_levels) = max_levels else {
        let value = builder.declare("any value");
        let (array, object) = free_composites(&mut builder, options, punctuation, Some(value));
        let array = builder.nonterminal("any array", array);
        let object = builder.nonterminal("any object", object);
        let body = free_value(&mut builder, options, Some((array, object)));
        let defined = builder.define(value, body);
        debug_assert!(defined.is_ok(), "it was declared just now");
        return (builder, object);
    };
    let body = free_value(&mut builder, options, None);
    let mut value = builder.nonterminal("scalar", body);
    for _ in 1..max_levels {
        let (array, object) = free_composites(&mut builder, options, punctuation, Some(value));
        let array = builder.nonterminal("array", array);
        let object = builder.nonterminal("object", object);
        let body = free_value(&mut builder, options, Some((array, object)));
        value = builder.nonterminal("value", body);
    }
    let (_, object) = free_composites(&mut builder, options, punctuation, Some(value));
    let object = builder.nonterminal("object", object);
    (builder, object)
}

fn punctuation(builder: &mut GrammarBuilder, options: &SchemaOptions) -> Punctuation {
    builder.set_whitespace(options.layout.whitespace);
    let mut literal = |text: &str| builder.terminal(Terminal::literal(text));
    Punctuation {
        open_array: literal("["),
        close_array: literal("]"),
        open_object: literal("{"),
        close_object: literal("}"),
        separator: literal(options.layout.item_separator),
        assign: literal(options.layout.key_separator),
    }
}

fn free_composites(
    builder: &mut GrammarBuilder,
    options: &SchemaOptions,
    punctuation: Punctuation,
    value: Option<NonterminalId>,
) -> (Expr, Expr) {
    let key = builder.terminal(string_terminal(options, StringSpec::default()));
    let list = List {
        open: punctuation.open_array,
        close: punctuation.close_array,
        separator: punctuation.separator,
        prefix: Vec::new(),
        rest: value.map(Case::plain).into_iter().collect(),
        counters: Vec::new(),
        min: 0,
        max: None,
        unique: false,
    };
    let record = Record {
        open: punctuation.open_object,
        close: punctuation.close_object,
        separator: punctuation.separator,
        assign: punctuation.assign,
        properties: Vec::new(),
        others: value
            .map(|value| OtherKeys { key, cases: vec![Case::plain(value)], n_words: None })
            .into_iter()
            .collect(),
        n_unordered: 0,
        n_goals: 0,
        presence: Vec::new(),
        min: 0,
        max: None,
    };
    (Expr::List(list), Expr::Record(record))
}

fn free_value(
    builder: &mut GrammarBuilder,
    options: &SchemaOptions,
    composites: Option<(NonterminalId, NonterminalId)>,
) -> Expr {
    let constants = Terminal::one_of(["null", "false", "true"]);
    let number = number_terminal(options, NumberSpec::default());
    let terminals = [constants, number, string_terminal(options, StringSpec::default())];
    let mut choices: Vec<Expr> =
        terminals.into_iter().map(|terminal| Expr::Terminal(builder.terminal(terminal))).collect();
    if let Some((array, object)) = composites {
        choices.extend([Expr::Nonterminal(array), Expr::Nonterminal(object)]);
    }
    Expr::Choice(choices)
}

/// The terminal of strings, in the spelling that was asked for.
fn string_terminal(options: &SchemaOptions, spec: StringSpec) -> Terminal {
    Terminal::String(StringSpec { escapes: options.layout.escapes, ..spec }.into())
}

fn number_terminal(options: &SchemaOptions, spec: NumberSpec) -> Terminal {
    let mut spec = spec;
    if options.layout.numbers == Numbers::Plain && spec.integer && spec.form == NumberForm::Digits {
        // That is how whole numbers are written anyway: let them share an automaton.
        spec.form = NumberForm::Free;
    }
    Terminal::Number(
        NumberSpec { max_digits: options.layout.max_digits, spelling: options.layout.numbers, ..spec }.into(),
    )
}

fn constant_terminal(mut constants: Vec<Vec<u8>>) -> Option<Terminal> {
    match constants.len() {
        0 => None,
        1 => constants.pop().map(Terminal::literal),
        _ => Some(Terminal::one_of(constants)),
    }
}

/// A choice without needless nesting.
pub(super) fn choice(mut choices: Vec<Expr>) -> Expr {
    match choices.len() {
        0 => Expr::Never,
        1 => choices.swap_remove(0),
        _ => Expr::Choice(choices),
    }
}
