//! Which parts of a record an expression reads.

use std::collections::BTreeMap;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use super::VARIABLES;

/// What is read of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Need {
    /// All of it.
    pub(super) whole: bool,
    /// Only these parts; none means whether it is there.
    pub(super) parts: BTreeMap<String, Need>,
}

/// Collects them.
#[derive(Default)]
pub(super) struct Needs {
    found: BTreeMap<&'static str, Need>,
    /// Names that macros give to items.
    bound: Vec<String>,
}

impl Needs {
    /// The variables that an expression reads, with their parts. The error says what it must not do.
    pub(super) fn of(expr: &IdedExpr) -> Result<Vec<(&'static str, Need)>, String> {
        let mut needs = Self::default();
        needs.walk(&expr.expr)?;
        Ok(needs.found.into_iter().collect())
    }

    fn walk(&mut self, expr: &Expr) -> Result<(), String> {
        if let Some(path) = path(expr) {
            return self.read(&path, true);
        }
        match expr {
            Expr::Call(call) => {
                if let Some(looked_at) = compared_with_null(expr) {
                    return self.look(looked_at);
                }
                let target = call.target.iter().map(|target| &**target);
                target
                    .chain(&call.args)
                    .try_for_each(|arg| self.walk(&arg.expr))
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => list
                .elements
                .iter()
                .try_for_each(|one| self.walk(&one.expr)),
            Expr::Map(map) => map.entries.iter().try_for_each(|one| self.entry(&one.expr)),
            Expr::Struct(made) => made
                .entries
                .iter()
                .try_for_each(|one| self.entry(&one.expr)),
            Expr::Select(select) => self.walk(&select.operand.expr),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn entry(&mut self, entry: &EntryExpr) -> Result<(), String> {
        match entry {
            EntryExpr::StructField(field) => self.walk(&field.value.expr),
            EntryExpr::MapEntry(entry) => {
                self.walk(&entry.key.expr)?;
                self.walk(&entry.value.expr)
            }
        }
    }

    /// A macro over a list. Within another one its cost would multiply.
    fn comprehension(&mut self, made: &ComprehensionExpr) -> Result<(), String> {
        if !self.bound.is_empty() {
            return Err(
                "all, exists, map and filter cannot stand within each other here".to_owned(),
            );
        }
        self.walk(&made.iter_range.expr)?;
        self.walk(&made.accu_init.expr)?;
        let names = [
            Some(&made.iter_var),
            made.iter_var2.as_ref(),
            Some(&made.accu_var),
        ];
        self.bound.extend(names.into_iter().flatten().cloned());
        if let Some(name) = self
            .bound
            .iter()
            .find(|name| VARIABLES.contains(&name.as_str()))
        {
            return Err(format!(
                "An item cannot be called {name}, as the record's is"
            ));
        }
        for part in [&made.loop_cond, &made.loop_step, &made.result] {
            self.walk(&part.expr)?;
        }
        self.bound.clear();
        Ok(())
    }

    /// Whether something is there.
    fn look(&mut self, expr: &Expr) -> Result<(), String> {
        match path(expr) {
            Some(path) => self.read(&path, false),
            None => self.walk(expr),
        }
    }

    fn read(&mut self, path: &[&str], whole: bool) -> Result<(), String> {
        let Some((root, rest)) = path.split_first() else {
            return Ok(());
        };
        if self.bound.iter().any(|name| name == root) {
            return Ok(());
        }
        let known = VARIABLES.iter().find(|name| *name == root);
        let known = known.ok_or_else(|| {
            format!(
                "There is no variable {root}: {} are there",
                VARIABLES.join(", ")
            )
        })?;
        let mut need = self.found.entry(known).or_default();
        for part in rest {
            need = need.parts.entry((*part).to_owned()).or_default();
        }
        need.whole |= whole;
        Ok(())
    }
}

/// `value.after.id` or `value["after"]["id"]`, as names.
fn path(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Ident(name) => Some(vec![name]),
        Expr::Select(select) => {
            let mut steps = path(&select.operand.expr)?;
            steps.push(&select.field);
            Some(steps)
        }
        Expr::Call(call) if call.func_name == "_[_]" => {
            let [operand, index] = call.args.as_slice() else {
                return None;
            };
            let Expr::Literal(LiteralValue::String(name)) = &index.expr else {
                return None;
            };
            let mut steps = path(&operand.expr)?;
            steps.push(name.inner());
            Some(steps)
        }
        _ => None,
    }
}

/// The other side of a comparison with null.
fn compared_with_null(expr: &Expr) -> Option<&Expr> {
    let Expr::Call(call) = expr else {
        return None;
    };
    let is_null = |one: &IdedExpr| matches!(one.expr, Expr::Literal(LiteralValue::Null));
    match call.args.as_slice() {
        [one, other] if matches!(call.func_name.as_str(), "_==_" | "_!=_") => {
            match (is_null(one), is_null(other)) {
                (false, true) => Some(&one.expr),
                (true, false) => Some(&other.expr),
                _ => None,
            }
        }
        _ => None,
    }
}
