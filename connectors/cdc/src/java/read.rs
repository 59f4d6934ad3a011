//! Keys that Java wrote.

use connect_core::decimal;

use super::{
    ARRAY, BLOCK, CLASS, END, FIRST_HANDLE, MAGIC, NULL, OBJECT, Part, REFERENCE, SERIALIZABLE,
    STRING, WRITES_MORE, text::from_modified_utf8,
};

const DAY_MS: i64 = 86_400_000;
/// What is added to the midnight of some zone, or to [`super::write`]'s own time, to be within the same day of UTC.
const INTO_DAY_MS: i64 = 13 * 3_600_000;
/// A key has no more hex digits than this, …
const LONGEST: usize = 128 << 10;
/// … and no more parts than a table has columns.
const MOST_PARTS: u32 = 1600;
/// Nothing that a key is made of lies deeper.
const DEEPEST: u8 = 8;
/// Classes and fields have shorter names than this.
const LONGEST_NAME: usize = 128;
/// The digits of a decimal number.
const INTEGER: &str = "java.math.BigInteger";
/// A number has no more digits behind its point.
const LARGEST_SCALE: usize = 16_383;

/// Reads what [`super::write`] or Debezium wrote. The outer `None`: it has something that is not known here.
pub fn read(hex: &str) -> Option<Option<Vec<Part>>> {
    (hex.len() <= LONGEST).then_some(())?;
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks_exact(2);
    let bytes: Vec<u8> = pairs.map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    let mut reader = Reader {
        rest: bytes.strip_prefix(MAGIC)?,
        handles: Vec::new(),
        copies: LONGEST,
    };
    match reader.thing(0)? {
        Thing::Null => Some(None),
        Thing::Array(parts) => parts.into_iter().map(part).collect::<Option<_>>().map(Some),
        _ => None,
    }
}

/// What was read.
#[derive(Debug, Clone)]
enum Thing {
    Null,
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Thing>),
    Part(Part),
    Object(Box<Object>),
    /// A field: its bits.
    Bits(u64),
}

impl Thing {
    /// About how many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Part(Part::Decimal(text)) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Object(object) => object.fields.iter().map(|(_, field)| field.size()).sum(),
            Self::Null | Self::Array(_) | Self::Part(_) | Self::Bits(_) => 8,
        }
    }
}

#[derive(Debug, Clone)]
struct Object {
    class: String,
    /// Those of the classes above it first.
    fields: Vec<(String, Thing)>,
    /// What it wrote besides.
    more: Vec<u8>,
}

/// A class.
#[derive(Debug, Clone)]
struct Described {
    name: String,
    flags: u8,
    fields: Vec<(u8, String)>,
    above: Option<Box<Described>>,
}

/// What a handle stands for.
#[derive(Debug, Clone)]
enum Handle {
    Class(Described),
    Thing(Thing),
    /// Something that is not complete.
    Begun,
}

struct Reader<'a> {
    rest: &'a [u8],
    handles: Vec<Handle>,
    /// Invariant 4: what is referred to is copied, so many bytes at most: else little could stand for much.
    copies: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn run(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn utf(&mut self) -> Option<String> {
        let len = u16::from_be_bytes(self.take()?);
        from_modified_utf8(self.run(usize::from(len))?)
    }

    /// The name of a class or field.
    fn name(&mut self) -> Option<String> {
        self.utf().filter(|name| name.len() <= LONGEST_NAME)
    }

    fn thing(&mut self, depth: u8) -> Option<Thing> {
        (depth < DEEPEST).then_some(())?;
        match self.byte()? {
            NULL => Some(Thing::Null),
            REFERENCE => match self.reference()? {
                Handle::Thing(thing) => {
                    self.copies = self.copies.checked_sub(thing.size())?;
                    Some(thing)
                }
                _ => None,
            },
            STRING => {
                let text = Thing::Text(self.utf()?);
                self.handles.push(Handle::Thing(text.clone()));
                Some(text)
            }
            ARRAY => {
                let class = self.class(0)??;
                let handle = self.begin();
                let len = u32::from_be_bytes(self.take()?);
                let array = match class.name.as_str() {
                    "[B" => Thing::Bytes(self.run(len as usize)?.to_vec()),
                    "[Ljava.lang.Object;" if len <= MOST_PARTS => {
                        let items = (0..len).map(|_| self.thing(depth + 1));
                        Thing::Array(items.collect::<Option<_>>()?)
                    }
                    _ => return None,
                };
                // An array of things is named by nothing within a key.
                if let Thing::Bytes(_) = array {
                    *self.handles.get_mut(handle)? = Handle::Thing(array.clone());
                }
                Some(array)
            }
            OBJECT => self.object(depth),
            _ => None,
        }
    }

    fn begin(&mut self) -> usize {
        self.handles.push(Handle::Begun);
        self.handles.len() - 1
    }

    fn object(&mut self, depth: u8) -> Option<Thing> {
        let class = self.class(0)??;
        let handle = self.begin();
        let mut object = Object {
            class: class.name.clone(),
            fields: Vec::new(),
            more: Vec::new(),
        };
        self.fields(&class, &mut object, depth)?;
        let thing = match object.part() {
            Some(part) => Thing::Part(part),
            None => Thing::Object(Box::new(object)),
        };
        // Only what holds nothing else may be named again, so that names of names do not grow.
        if matches!(&thing, Thing::Part(_)) || class.name == INTEGER {
            *self.handles.get_mut(handle)? = Handle::Thing(thing.clone());
        }
        Some(thing)
    }

    fn fields(&mut self, class: &Described, object: &mut Object, depth: u8) -> Option<()> {
        if let Some(above) = &class.above {
            self.fields(above, object, depth)?;
        }
        for (kind, name) in &class.fields {
            let value = match kind {
                b'B' | b'Z' => Thing::Bits(u64::from(self.byte()?)),
                b'S' | b'C' => Thing::Bits(u64::from(u16::from_be_bytes(self.take()?))),
                b'I' | b'F' => Thing::Bits(u64::from(u32::from_be_bytes(self.take()?))),
                b'J' | b'D' => Thing::Bits(u64::from_be_bytes(self.take()?)),
                _ => self.thing(depth + 1)?,
            };
            object.fields.push((name.clone(), value));
        }
        if class.flags & WRITES_MORE != 0 {
            loop {
                match self.byte()? {
                    END => break,
                    BLOCK => {
                        let len = self.byte()?;
                        object.more = self.run(usize::from(len))?.to_vec();
                    }
                    _ => return None,
                }
            }
        }
        Some(())
    }

    fn reference(&mut self) -> Option<Handle> {
        let handle = u32::from_be_bytes(self.take()?).checked_sub(FIRST_HANDLE)?;
        self.handles.get(handle as usize).cloned()
    }

    /// A class; the inner `None` for none.
    fn class(&mut self, depth: u8) -> Option<Option<Described>> {
        match self.byte()? {
            NULL => Some(None),
            REFERENCE => match self.reference()? {
                Handle::Class(class) => Some(Some(class)),
                _ => None,
            },
            CLASS if depth < DEEPEST => {
                let name = self.name()?;
                self.take::<8>()?;
                let handle = self.begin();
                let flags = self.byte()?;
                // Others write what only their class can read.
                (flags & !WRITES_MORE == SERIALIZABLE).then_some(())?;
                let count = u16::from_be_bytes(self.take()?);
                let fields = (0..count).map(|_| self.field());
                let fields = fields.collect::<Option<_>>()?;
                (self.byte()? == END).then_some(())?;
                let above = self.class(depth + 1)?.map(Box::new);
                let class = Described {
                    name,
                    flags,
                    fields,
                    above,
                };
                *self.handles.get_mut(handle)? = Handle::Class(class.clone());
                Some(Some(class))
            }
            _ => None,
        }
    }

    /// Type and name of a field.
    fn field(&mut self) -> Option<(u8, String)> {
        let (kind, name) = (self.byte()?, self.name()?);
        match kind {
            b'L' | b'[' => match self.thing(0)? {
                Thing::Text(_) => {}
                _ => return None,
            },
            kind => b"BCDFIJSZ".contains(&kind).then_some(())?,
        }
        Some((kind, name))
    }
}

fn part(thing: Thing) -> Option<Part> {
    Some(match thing {
        Thing::Null => Part::Null,
        Thing::Text(text) => Part::Text(text),
        Thing::Bytes(bytes) => Part::Bytes(bytes),
        Thing::Part(part) => part,
        Thing::Object(_) | Thing::Array(_) | Thing::Bits(_) => return None,
    })
}

impl Object {
    fn field(&self, name: &str) -> Option<&Thing> {
        let found = self.fields.iter().find(|(one, _)| one == name);
        found.map(|(_, thing)| thing)
    }

    fn bits(&self, name: &str) -> Option<u64> {
        match self.field(name)? {
            Thing::Bits(bits) => Some(*bits),
            _ => None,
        }
    }

    fn part(&self) -> Option<Part> {
        let value = || self.bits("value");
        Some(match self.class.as_str() {
            "java.lang.Integer" => Part::Int(value()? as u32 as i32),
            "java.lang.Short" => Part::Int(i32::from(value()? as u16 as i16)),
            "java.lang.Long" => Part::Long(value()?.cast_signed()),
            "java.lang.Boolean" => Part::Bool(value()? != 0),
            "java.lang.Float" => Part::Float(value()? as u32),
            "java.lang.Double" => Part::Double(value()?),
            "java.util.UUID" => {
                let (high, low) = (self.bits("mostSigBits")?, self.bits("leastSigBits")?);
                Part::Uuid(u128::from(high) << 64 | u128::from(low))
            }
            "java.sql.Date" => {
                let ms = i64::from_be_bytes(self.more.as_slice().try_into().ok()?);
                Part::Date(ms.saturating_add(INTO_DAY_MS).div_euclid(DAY_MS))
            }
            "java.math.BigDecimal" => Part::Decimal(self.decimal()?),
            _ => return None,
        })
    }

    fn decimal(&self) -> Option<String> {
        let Thing::Object(number) = self.field("intVal")? else {
            return None;
        };
        // What is named again is never deeper than this.
        (number.class == INTEGER
            && number
                .fields
                .iter()
                .all(|(_, f)| !matches!(f, Thing::Object(_))))
        .then_some(())?;
        let Thing::Bytes(magnitude) = number.field("magnitude")? else {
            return None;
        };
        let scale = self.bits("scale")? as u32 as i32;
        let mut unscaled = vec![0];
        unscaled.extend(magnitude);
        // A scale below zero stands for zeros before the point.
        let digits = usize::try_from(scale).unwrap_or(0);
        let zeros = usize::try_from(scale.checked_neg()?).unwrap_or(0);
        (digits.max(zeros) <= LARGEST_SCALE).then_some(())?;
        let mut text = match number.bits("signum")? as u32 as i32 {
            ..0 => b"-".to_vec(),
            _ => Vec::new(),
        };
        decimal::to_text(&unscaled, digits, &mut text);
        text.extend(std::iter::repeat_n(b'0', zeros));
        String::from_utf8(text).ok()
    }
}
