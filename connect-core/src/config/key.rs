//! One property, as Kafka Connect's `ConfigKeyInfo` describes it.

/// Kafka Connect's `ConfigDef.Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `BOOLEAN`
    Boolean,
    /// `STRING`
    String,
    /// `INT`
    Int,
    /// `SHORT`
    Short,
    /// `LONG`
    Long,
    /// `DOUBLE`
    Double,
    /// `LIST`
    List,
    /// `CLASS`
    Class,
    /// `PASSWORD`: shown as `[hidden]`
    Password,
}

/// Kafka Connect's `ConfigDef.Importance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// Everybody sets it.
    High,
    /// Many set it.
    Medium,
    /// Few set it.
    Low,
}

/// Kafka Connect's `ConfigDef.Width`: how long a form field should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Not told.
    None,
    /// A number.
    Short,
    /// A name.
    Medium,
    /// A list or path.
    Long,
}

/// One property.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Its default as text, if it has one.
    pub default: Option<&'static str>,
    /// How important it is.
    pub importance: Importance,
    /// What it does, from the doc comment of its declaration.
    pub documentation: String,
    /// Its group.
    pub group: Option<&'static str>,
    /// Its place in the group, from 1.
    pub order: i32,
    /// How long a form field should be.
    pub width: Width,
    /// Its name for people.
    pub display: &'static str,
    /// The only values allowed; empty for any.
    pub allowed: &'static [&'static str],
}

impl Kind {
    /// Its name in Kafka Connect's answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

impl Importance {
    /// Its name in Kafka Connect's answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

impl Width {
    /// Its name in Kafka Connect's answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}
