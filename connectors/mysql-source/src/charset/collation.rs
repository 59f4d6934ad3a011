//! Numbers of collations (`information_schema.collations` of both servers).

/// MariaDB's collations that do not fill up with blanks are the others', this much higher.
const NOPAD: u16 = 1024;

/// The name of a collation's character set.
pub(super) fn charset(id: u16) -> Option<&'static str> {
    match id {
        NOPAD..2048 => shared(id - NOPAD),
        // MariaDB's collations after UCA 14.0.0, 256 for each character set.
        2048..2304 => Some("utf8mb3"),
        2304..2560 => Some("utf8mb4"),
        2560..2816 => Some("ucs2"),
        2816..3072 => Some("utf16"),
        3072..3328 => Some("utf32"),
        _ => shared(id),
    }
}

fn shared(id: u16) -> Option<&'static str> {
    Some(match id {
        33 | 76 | 83 | 192..=215 | 223 | 576..=607 => "utf8mb3",
        45..=46 | 224..=247 | 255..=323 | 608..=639 => "utf8mb4",
        5 | 8 | 15 | 31 | 47..=49 | 94 => "latin1",
        63 => "binary",
        11 | 65 => "ascii",
        35 | 90 | 128..=151 | 159 | 640..=671 => "ucs2",
        54..=55 | 101..=124 | 672..=703 => "utf16",
        56 | 62 => "utf16le",
        60..=61 | 160..=183 | 736..=767 => "utf32",
        _ => return regional(id),
    })
}

fn regional(id: u16) -> Option<&'static str> {
    Some(match id {
        1 | 84 => "big5",
        2 | 9 | 21 | 27 | 77 => "latin2",
        3 | 69 => "dec8",
        4 | 80 => "cp850",
        6 | 72 => "hp8",
        7 | 74 => "koi8r",
        10 | 82 => "swe7",
        12 | 91 => "ujis",
        13 | 88 => "sjis",
        14 | 23 | 50..=52 => "cp1251",
        16 | 71 => "hebrew",
        18 | 89 => "tis620",
        19 | 85 => "euckr",
        20 | 41..=42 | 79 => "latin7",
        22 | 75 => "koi8u",
        24 | 86 => "gb2312",
        25 | 70 => "greek",
        26 | 34 | 44 | 66 | 99 => "cp1250",
        28 | 87 => "gbk",
        29 | 58..=59 => "cp1257",
        30 | 78 => "latin5",
        32 | 64 => "armscii8",
        36 | 68 => "cp866",
        37 | 73 => "keybcs2",
        38 | 43 => "macce",
        39 | 53 => "macroman",
        40 | 81 => "cp852",
        57 | 67 => "cp1256",
        92..=93 => "geostd8",
        95..=96 => "cp932",
        97..=98 => "eucjpms",
        248..=250 => "gb18030",
        _ => return None,
    })
}
