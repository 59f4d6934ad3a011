//! Simple Groovy expressions as CEL.
//!
//! Understood are literals and texts with `${}`, properties (`a.b`, `a?.b`, `a['b']`), the operators of comparison, logic,
//! arithmetic and choice (`?:` in both forms), `in`, `=~` and `==~` as tests, lists, and the methods of texts and lists that
//! [`method`] knows. What is null, true or text in Groovy is so here. Anything else is an error.

mod token;

use token::{Piece, Token, tokens};

/// Deepest nesting of parentheses and operators.
const DEEPEST: usize = 48;
/// The longest translation of a part: null-safe steps write their operand twice.
const LONGEST: usize = super::LONGEST;

/// A part of the expression in CEL.
#[derive(Debug, Clone)]
struct Part {
    cel: String,
    kind: Kind,
}

/// What is known of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Text,
    Number,
    Any,
}

impl Part {
    fn new(kind: Kind, cel: impl Into<String>) -> Self {
        let cel = cel.into();
        Self { cel, kind }
    }

    /// As a condition: Groovy takes anything for one.
    fn truth(self) -> String {
        match self.kind {
            Kind::Bool => self.cel,
            _ => format!("truth({})", self.cel),
        }
    }

    fn text(&self) -> String {
        match self.kind {
            Kind::Text => self.cel.clone(),
            _ => format!("text({})", self.cel),
        }
    }
}

type Parsed = Result<Part, String>;

/// Translates an expression. The error says what is not understood.
pub(super) fn translated(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches(';').trim();
    let text = match text.strip_prefix("return") {
        Some(rest) if rest.starts_with([' ', '(']) => rest.trim(),
        _ => text,
    };
    expression(text, 0).map(|part| part.cel)
}

fn expression(text: &str, depth: usize) -> Parsed {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth,
    };
    let part = parser.ternary()?;
    match parser.peek() {
        None => Ok(part),
        Some(token) => Err(format!("{} is not understood", token.shown())),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// How tightly an operator binds; `None` for none.
fn strength(sign: &str) -> Option<u8> {
    Some(match sign {
        "||" => 1,
        "&&" => 2,
        "==" | "!=" | "===" | "=~" | "==~" => 3,
        "<" | ">" | "<=" | ">=" | "in" => 4,
        "+" | "-" => 5,
        "*" | "/" | "%" => 6,
        _ => return None,
    })
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(found);
        found
    }

    fn want(&mut self, sign: &str) -> Result<(), String> {
        match self.take(sign) {
            true => Ok(()),
            false => Err(match self.peek() {
                Some(token) => format!("{sign} is missing before {}", token.shown()),
                None => format!("{sign} is missing at the end"),
            }),
        }
    }

    fn ternary(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("The expression is nested too deeply".to_owned());
        }
        let test = self.binary(1)?;
        let part = if self.take("?") {
            let yes = self.ternary()?;
            self.want(":")?;
            let no = self.ternary()?;
            chosen(test.truth(), &yes, &no)
        } else if self.take("?:") {
            let other = self.ternary()?;
            chosen(test.clone().truth(), &test, &other)
        } else {
            Ok(test)
        };
        self.depth -= 1;
        part
    }

    fn binary(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some(Token::Sign(sign)) = self.peek() {
            let sign = *sign;
            let Some(strength) = strength(sign).filter(|strength| *strength >= least) else {
                break;
            };
            self.at += 1;
            let right = self.binary(strength + 1)?;
            left = joined(left, sign, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("The expression is nested too deeply".to_owned());
        }
        let part = if self.take("!") {
            let part = self.unary()?;
            Part::new(Kind::Bool, format!("!({})", part.truth()))
        } else if self.take("-") {
            let part = self.unary()?;
            Part::new(Kind::Number, format!("-({})", part.cel))
        } else {
            self.steps()?
        };
        self.depth -= 1;
        Ok(part)
    }

    /// A value and what is taken of it.
    fn steps(&mut self) -> Parsed {
        let mut part = self.value()?;
        loop {
            let safe = self.take("?.");
            if safe || self.take(".") {
                part = self.step(part, safe)?;
            } else if self.take("[") {
                let index = self.ternary()?;
                self.want("]")?;
                part = Part::new(Kind::Any, format!("{}[{}]", part.cel, index.cel));
            } else {
                return Ok(part);
            }
            if part.cel.len() > LONGEST {
                return Err("The expression is too long".to_owned());
            }
        }
    }

    fn step(&mut self, of: Part, safe: bool) -> Parsed {
        let name = match self.next() {
            Some(Token::Name(name)) => name,
            Some(Token::Text(pieces)) => {
                plain(&pieces).ok_or("A name with ${} is not understood")?
            }
            Some(token) => return Err(format!("{} is not understood", token.shown())),
            None => return Err("The expression ends after a dot".to_owned()),
        };
        let step = match self.take("(") {
            true => method(&of, &name, &self.arguments()?)?,
            false => Part::new(Kind::Any, format!("{}[{}]", of.cel, quoted(&name))),
        };
        Ok(match safe {
            true => Part::new(
                Kind::Any,
                format!("({} == null ? null : {})", of.cel, step.cel),
            ),
            false => step,
        })
    }

    fn arguments(&mut self) -> Result<Vec<Part>, String> {
        self.list(")")
    }

    fn list(&mut self, end: &'static str) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        if self.take(end) {
            return Ok(parts);
        }
        loop {
            parts.push(self.ternary()?);
            if !self.take(",") {
                self.want(end)?;
                return Ok(parts);
            }
        }
    }

    fn value(&mut self) -> Parsed {
        match self.next() {
            Some(Token::Number(number)) => Ok(Part::new(Kind::Number, number)),
            Some(Token::Text(pieces)) => text(&pieces, self.depth),
            Some(Token::Name(name)) => match name.as_str() {
                "true" | "false" => Ok(Part::new(Kind::Bool, name)),
                "null" => Ok(Part::new(Kind::Any, name)),
                "topic" => Ok(Part::new(Kind::Text, name)),
                _ if super::VARIABLES.contains(&name.as_str()) => Ok(Part::new(Kind::Any, name)),
                _ => Err(format!(
                    "{name} is not understood: {} are there",
                    super::VARIABLES.join(", ")
                )),
            },
            Some(Token::Sign("(")) => {
                let part = self.ternary()?;
                self.want(")")?;
                Ok(Part::new(part.kind, format!("({})", part.cel)))
            }
            Some(Token::Sign("[")) => {
                let items: Vec<String> = self.list("]")?.into_iter().map(|part| part.cel).collect();
                Ok(Part::new(Kind::Any, format!("[{}]", items.join(", "))))
            }
            Some(token) => Err(format!("{} is not understood", token.shown())),
            None => Err("The expression ends too early".to_owned()),
        }
    }
}

fn chosen(test: String, yes: &Part, no: &Part) -> Parsed {
    let kind = if yes.kind == no.kind {
        yes.kind
    } else {
        Kind::Any
    };
    Ok(Part::new(
        kind,
        format!("({test} ? {} : {})", yes.cel, no.cel),
    ))
}

fn joined(left: Part, sign: &str, right: Part) -> Parsed {
    let plain = |sign: &str| format!("({} {sign} {})", left.cel, right.cel);
    Ok(match sign {
        "&&" | "||" => {
            let cel = format!("({} {sign} {})", left.truth(), right.truth());
            Part::new(Kind::Bool, cel)
        }
        "===" => Part::new(Kind::Bool, plain("==")),
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "in" => Part::new(Kind::Bool, plain(sign)),
        "=~" => Part::new(
            Kind::Bool,
            format!("{}.matches({})", left.text(), right.cel),
        ),
        "==~" => Part::new(
            Kind::Bool,
            format!("matchesAll({}, {})", left.text(), right.cel),
        ),
        "+" if left.kind == Kind::Text || right.kind == Kind::Text => {
            Part::new(Kind::Text, format!("({} + {})", left.text(), right.text()))
        }
        "+" => Part::new(Kind::Any, format!("plus({}, {})", left.cel, right.cel)),
        // Groovy's quotient of whole numbers has a fraction.
        "/" => Part::new(
            Kind::Number,
            format!("(double({}) / double({}))", left.cel, right.cel),
        ),
        _ => Part::new(Kind::Number, plain(sign)),
    })
}

/// The methods that are understood.
fn method(of: &Part, name: &str, given: &[Part]) -> Parsed {
    let cel = &of.cel;
    Ok(match (name, given) {
        ("equals", [other]) => Part::new(Kind::Bool, format!("({cel} == {})", other.cel)),
        ("equalsIgnoreCase", [other]) => Part::new(
            Kind::Bool,
            format!("(lower({cel}) == lower({}))", other.cel),
        ),
        ("startsWith" | "endsWith", [other]) => {
            Part::new(Kind::Bool, format!("{cel}.{name}({})", other.cel))
        }
        ("contains", [other]) => Part::new(Kind::Bool, format!("holds({cel}, {})", other.cel)),
        ("matches", [other]) => Part::new(Kind::Bool, format!("matchesAll({cel}, {})", other.cel)),
        ("isEmpty", []) => Part::new(Kind::Bool, format!("(size({cel}) == 0)")),
        ("size" | "length", []) => Part::new(Kind::Number, format!("size({cel})")),
        ("toString", []) => Part::new(Kind::Text, format!("text({cel})")),
        ("toLowerCase", []) => Part::new(Kind::Text, format!("lower({cel})")),
        ("toUpperCase", []) => Part::new(Kind::Text, format!("upper({cel})")),
        ("trim", []) => Part::new(Kind::Text, format!("trim({cel})")),
        ("get" | "getString" | "getStruct" | "getInt32" | "getInt64" | "getBoolean", [field]) => {
            Part::new(Kind::Any, format!("{cel}[{}]", field.cel))
        }
        ("name" | "version" | "value", []) => Part::new(Kind::Any, format!("{cel}.{name}")),
        ("topic", []) => Part::new(Kind::Text, "topic"),
        _ => {
            return Err(format!(
                "The method {name} with {} arguments is not understood",
                given.len()
            ));
        }
    })
}

/// A text, in which expressions may stand.
fn text(pieces: &[Piece], depth: usize) -> Parsed {
    let mut parts = Vec::new();
    for piece in pieces {
        parts.push(match piece {
            Piece::Text(text) => quoted(text),
            Piece::Expression(inner) => expression(inner, depth + 1)?.text(),
        });
    }
    Ok(match parts.as_slice() {
        [] => Part::new(Kind::Text, "\"\""),
        [one] => Part::new(Kind::Text, one.clone()),
        _ => Part::new(Kind::Text, format!("({})", parts.join(" + "))),
    })
}

fn plain(pieces: &[Piece]) -> Option<String> {
    match pieces {
        [] => Some(String::new()),
        [Piece::Text(text)] => Some(text.clone()),
        _ => None,
    }
}

/// A text as a literal of CEL.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
