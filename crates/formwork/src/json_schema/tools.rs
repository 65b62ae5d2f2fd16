//! Which grammar describes calls of tools?

use super::fault::Result;
use super::literal;
use super::lower::{Lowerer, choice};
use super::reduce::Reducer;
use super::{ArgumentsKey, ToolCalls, ToolSet};
use crate::automata::Terminal;
use crate::error::{SchemaError, Violation, ViolationKind};
use crate::grammar::{Case, Expr, List, Property, Record};
use crate::hash::HashSet;
use crate::ids::NonterminalId;
use crate::json_schema::shape::{Alternatives, ObjectShape, Union};

/// Names that are missing or taken, and an empty set.
pub(super) fn check(tools: &ToolSet) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut violation = |pointer: String, keyword: Option<&str>, reason: String| {
        violations.push(Violation {
            kind: ViolationKind::Malformed,
            pointer,
            keyword: keyword.map(str::to_owned),
            reason,
        });
    };
    if tools.tools.is_empty() {
        violation("/tools".to_owned(), None, "there must be at least one tool".to_owned());
    }
    if let ToolCalls::Many { max: Some(0) } = tools.calls {
        violation(String::new(), None, "at least one call must be allowed".to_owned());
    }
    let mut names = HashSet::default();
    for (index, tool) in tools.tools.iter().enumerate() {
        if tool.name.is_empty() {
            violation(format!("/tools/{index}"), Some("name"), "must not be empty".to_owned());
        } else if !names.insert(tool.name.as_str()) {
            let reason = format!("another tool is called {:?} already", tool.name);
            violation(format!("/tools/{index}"), Some("name"), reason);
        }
    }
    violations
}

/// Where the parameters of the tool at `index` stand.
pub(super) fn pointer(index: usize) -> String {
    format!("/tools/{index}/parameters")
}

impl<'a> Lowerer<'_, 'a> {
    /// The nonterminal for the calls of `tools`.
    pub(super) fn tools(&mut self, tools: &'a ToolSet) -> Result<NonterminalId> {
        let mut calls = Vec::with_capacity(tools.tools.len());
        for (index, tool) in tools.tools.iter().enumerate() {
            let arguments = self.arguments(index, tool)?;
            let escapes = self.escapes();
            let name = self.builder_mut().terminal(Terminal::literal(literal::string(&tool.name, escapes)));
            let name = self.builder_mut().nonterminal("tool name", Expr::Terminal(name));
            let key = match tools.arguments_key {
                ArgumentsKey::Arguments => "arguments",
                ArgumentsKey::Parameters => "parameters",
            };
            let property = |key: &str, value| Property {
                key: literal::string(key, escapes),
                cases: vec![Case::plain(value)],
                required: true,
            };
            let punctuation = self.punctuation();
            calls.push(Expr::Record(Record {
                open: punctuation.open_object,
                close: punctuation.close_object,
                separator: punctuation.separator,
                assign: punctuation.assign,
                properties: vec![property("name", name), property(key, arguments)],
                others: Vec::new(),
                n_unordered: 0,
                n_goals: 0,
                presence: Vec::new(),
                min: 0,
                max: None,
            }));
        }
        let call = choice(calls);
        let call = self.builder_mut().nonterminal("call", call);
        let ToolCalls::Many { max } = tools.calls else { return Ok(call) };
        let punctuation = self.punctuation();
        let list = Expr::List(List {
            open: punctuation.open_array,
            close: punctuation.close_array,
            separator: punctuation.separator,
            prefix: Vec::new(),
            rest: vec![Case::plain(call)],
            counters: Vec::new(),
            min: 1,
            max,
            unique: false,
        });
        Ok(self.builder_mut().nonterminal("calls", list))
    }

    /// The nonterminal for one tool's arguments: an object, whatever else its schema admits.
    fn arguments(&mut self, index: usize, tool: &'a super::Tool) -> Result<NonterminalId> {
        let root = self.reducer_mut().document.add_root(&tool.parameters, pointer(index));
        let conj = self.reducer_mut().conj_of(root)?;
        let union = self.reducer_mut().union_of(conj)?;
        let objects = match &union.objects {
            Alternatives::Of(shapes) if shapes.is_empty() => {
                let reason = "no object satisfies the parameters' schema";
                return Err(SchemaError::new(ViolationKind::Unsatisfiable, pointer(index), None, reason).into());
            }
            Alternatives::Any => Alternatives::one(ObjectShape::any()),
            objects => objects.clone(),
        };
        Ok(self.declare_union(Union { objects, ..Union::none() }))
    }
}

/// Adds the nodes that a tool set's report speaks of; the same way as lowering does.
pub(super) fn lower<'a>(reducer: &mut Reducer<'a>, tools: &'a ToolSet) -> Result<super::LoweredSchema> {
    let mut lowerer = Lowerer::new(reducer);
    let start = lowerer.tools(tools)?;
    lowerer.finish()?;
    Ok(super::LoweredSchema { builder: lowerer.into_builder(), start })
}
