//! Java's serialization of `Object[]`, as far as keys need it: Debezium stores the progress of incremental snapshots so.
//!
//! The format is that of the Java Object Serialization Specification, chapter 6.

mod read;
mod text;
mod write;

pub(crate) use self::text::modified_utf8;
pub use self::{
    read::read,
    text::{uuid_bits, uuid_text},
    write::write,
};

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `null`
    Null,
    /// `java.lang.Integer`, and `java.lang.Short` when it is read
    Int(i32),
    /// `java.lang.Long`
    Long(i64),
    /// `java.lang.Boolean`
    Bool(bool),
    /// `java.lang.Float`: its bits
    Float(u32),
    /// `java.lang.Double`: its bits
    Double(u64),
    /// `java.math.BigDecimal`: its decimal text
    Decimal(String),
    /// `java.sql.Date`: days since 1970-01-01
    Date(i64),
    /// `java.lang.String`
    Text(String),
    /// `java.util.UUID`
    Uuid(u128),
    /// `byte[]`
    Bytes(Vec<u8>),
}

const MAGIC: &[u8] = &[0xac, 0xed, 0, 5];
const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
const FIRST_HANDLE: u32 = 0x7e_0000;
/// The class writes its fields.
const SERIALIZABLE: u8 = 2;
/// It writes more behind them.
const WRITES_MORE: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ObjectOutputStream` writes for `new Object[]{5}`.
    const FIVE: &str = "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000001\
        737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565\
        787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b020000787000000005";

    #[test]
    fn an_integer_is_written_as_java_does() {
        assert_eq!(write(Some(&[Part::Int(5)])), FIVE);
        assert_eq!(read(FIVE), Some(Some(vec![Part::Int(5)])));
        assert_eq!(write(None), "aced000570");
        assert_eq!(read("aced000570"), Some(None));
    }

    /// What `ObjectOutputStream` writes for -12.50, 0, 123456789012345678901234567890.5 (all `BigDecimal`), true, false, 1.5f, -2.25,
    /// (short) 7, the dates 2026-03-01 and 1960-01-01 in UTC, {0, -1} (`byte[]`), "x", 5, and 6L.
    const ALL: &str = "\
        aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c02000078700000000e737200146a6176612e6d61\
        74682e426967446563696d616c54c71557f981284f0300024900057363616c654c0006696e7456616c7400164c6a6176612f6d6174682f\
        426967496e74656765723b787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b020000787000000002737200146a6176\
        612e6d6174682e426967496e74656765728cfc9f1fa93bfb1d030006490008626974436f756e744900096269744c656e67746849001366\
        697273744e6f6e7a65726f427974654e756d49000c6c6f776573745365744269744900067369676e756d5b00096d61676e697475646574\
        00025b427871007e0004fffffffffffffffffffffffefffffffeffffffff757200025b42acf317f8060854e002000078700000000204e2\
        78787371007e0002000000007371007e0006fffffffffffffffffffffffefffffffe000000007571007e00090000000078787371007e00\
        02000000017371007e0006fffffffffffffffffffffffefffffffe000000017571007e00090000000d0f951a9fa3a286c94f0e766c3978\
        78737200116a6176612e6c616e672e426f6f6c65616ecd207280d59cfaee0200015a000576616c75657870017371007e0011007372000f\
        6a6176612e6c616e672e466c6f6174daedc9a2db3cf0ec02000146000576616c75657871007e00043fc00000737200106a6176612e6c61\
        6e672e446f75626c6580b3c24a296bfb0402000144000576616c75657871007e0004c0020000000000007372000f6a6176612e6c616e67\
        2e53686f7274684d37133460da5202000153000576616c75657871007e000400077372000d6a6176612e73716c2e4461746514fa46683f\
        3566970200007872000e6a6176612e7574696c2e44617465686a81014b597419030000787077080000019ca6b1dc00787371007e001a77\
        08ffffffb683a13400787571007e00090000000200ff74000178737200116a6176612e6c616e672e496e746567657212e2a0a4f7818738\
        02000149000576616c75657871007e0004000000057372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df0200014a00057661\
        6c75657871007e00040000000000000006";

    fn all() -> Vec<Part> {
        vec![
            Part::Decimal("-12.50".into()),
            Part::Decimal("0".into()),
            Part::Decimal("123456789012345678901234567890.5".into()),
            Part::Bool(true),
            Part::Bool(false),
            Part::Float(1.5f32.to_bits()),
            Part::Double((-2.25f64).to_bits()),
            Part::Int(7),
            Part::date("2026-03-01").unwrap(),
            Part::date("1960-01-01").unwrap(),
            Part::Bytes(vec![0, 255]),
            Part::Text("x".into()),
            Part::Int(5),
            Part::Long(6),
        ]
    }

    #[test]
    fn what_java_wrote_is_read() {
        assert_eq!(read(ALL), Some(Some(all())));
        for end in 0..ALL.len() {
            assert_eq!(read(&ALL[..end]), None, "every prefix is refused");
        }
        assert_eq!(read(&write(Some(&all()))), Some(Some(all())));
    }

    /// A text of 60,000 letters, and references to it.
    #[test]
    fn little_does_not_stand_for_much() {
        let named = |times: u32| {
            let text = "61".repeat(60_000);
            let head =
                "aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c0200007870";
            let again = "71007e0002".repeat(times as usize);
            read(&format!("{head}{:08x}74ea60{text}{again}", times + 1))
        };
        let text = Part::Text("a".repeat(60_000));
        assert_eq!(named(2), Some(Some(vec![text; 3])));
        assert_eq!(named(3), None);
    }

    #[test]
    fn numbers_are_written_as_java_does() {
        // Up to the short, which the driver never makes, and which is written as an integer.
        let written = write(Some(&all()));
        let short = ALL.find("7372000f6a6176612e6c616e672e53686f7274").unwrap();
        assert_eq!(written[..short], ALL[..short]);
        let unknown = write(Some(&[Part::Decimal("NaN".into())]));
        assert_eq!(read(&unknown), Some(Some(vec![Part::Text("NaN".into())])));
    }

    #[test]
    fn keys_come_back() {
        let key = vec![
            Part::Long(-1),
            Part::Int(7),
            Part::Int(8),
            Part::Text("ä\0𝄞".into()),
            Part::Null,
            Part::Uuid(uuid_bits("01234567-89ab-cdef-0123-456789abcdef").unwrap()),
            Part::Long(i64::MAX),
        ];
        assert_eq!(read(&write(Some(&key))), Some(Some(key.clone())));
        let texts: Vec<Option<String>> = key.iter().map(Part::text).collect();
        assert_eq!(
            texts[5].as_deref(),
            Some("01234567-89ab-cdef-0123-456789abcdef")
        );
        let whole = write(Some(&key));
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "every prefix is refused");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String, bytes: Vec<u8>) {
            let _ = read(&text);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = read(&format!("aced0005{hex}"));
        }

        #[test]
        fn texts_come_back(text: String) {
            let key = vec![Part::Text(text)];
            proptest::prop_assert_eq!(read(&write(Some(&key))), Some(Some(key)));
        }
    }
}
