//! Oids that stand in the server's own catalog and never change (`pg_type.dat`).

#![allow(missing_docs)]
pub(crate) const BOOL: u32 = 16;
pub(crate) const BYTEA: u32 = 17;
pub(crate) const CHAR: u32 = 18;
pub(crate) const NAME: u32 = 19;
pub(crate) const INT8: u32 = 20;
pub(crate) const INT2: u32 = 21;
pub(crate) const INT4: u32 = 23;
pub(crate) const TEXT: u32 = 25;
pub(crate) const OID: u32 = 26;
pub(crate) const JSON: u32 = 114;
pub(crate) const XML: u32 = 142;
pub(crate) const POINT: u32 = 600;
pub(crate) const CIDR: u32 = 650;
pub(crate) const FLOAT4: u32 = 700;
pub(crate) const FLOAT8: u32 = 701;
pub(crate) const MACADDR8: u32 = 774;
pub(crate) const MONEY: u32 = 790;
pub(crate) const MACADDR: u32 = 829;
pub(crate) const INET: u32 = 869;
pub(crate) const BPCHAR: u32 = 1042;
pub(crate) const VARCHAR: u32 = 1043;
pub(crate) const DATE: u32 = 1082;
pub(crate) const TIME: u32 = 1083;
pub(crate) const TIMESTAMP: u32 = 1114;
pub(crate) const TIMESTAMPTZ: u32 = 1184;
pub(crate) const INTERVAL: u32 = 1186;
pub(crate) const TIMETZ: u32 = 1266;
pub(crate) const BIT: u32 = 1560;
pub(crate) const VARBIT: u32 = 1562;
pub(crate) const NUMERIC: u32 = 1700;
pub(crate) const UUID: u32 = 2950;
pub(crate) const TSVECTOR: u32 = 3614;
pub(crate) const JSONB: u32 = 3802;
pub(crate) const INT4RANGE: u32 = 3904;
pub(crate) const NUMRANGE: u32 = 3906;
pub(crate) const TSRANGE: u32 = 3908;
pub(crate) const TSTZRANGE: u32 = 3910;
pub(crate) const DATERANGE: u32 = 3912;
pub(crate) const INT8RANGE: u32 = 3926;
/// The first oid that a database gives itself.
pub(crate) const FIRST_CUSTOM: u32 = 16_384;

/// Arrays of the server's own types that Debezium has: array oid, item oid.
pub(crate) const ARRAYS: [(u32, u32); 33] = [
    (1000, BOOL),
    (1001, BYTEA),
    (1002, CHAR),
    (1005, INT2),
    (1007, INT4),
    (1009, TEXT),
    (1014, BPCHAR),
    (1015, VARCHAR),
    (1016, INT8),
    (1021, FLOAT4),
    (1022, FLOAT8),
    (1028, OID),
    (1040, MACADDR),
    (1041, INET),
    (651, CIDR),
    (775, MACADDR8),
    (1115, TIMESTAMP),
    (1182, DATE),
    (1183, TIME),
    (1185, TIMESTAMPTZ),
    (1231, NUMERIC),
    (1270, TIMETZ),
    (199, JSON),
    (2951, UUID),
    (3807, JSONB),
    (3905, INT4RANGE),
    (3907, NUMRANGE),
    (3909, TSRANGE),
    (3911, TSTZRANGE),
    (3913, DATERANGE),
    (3927, INT8RANGE),
    (3643, TSVECTOR),
    (1561, BIT),
];
