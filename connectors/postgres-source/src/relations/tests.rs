use connect_core::Config;

use super::*;
use crate::types::oid;

fn compiler(more: &[(&str, &str)]) -> Compiler {
    let base = [
        ("topic.prefix", "shop"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "inventory"),
    ];
    let all = base.iter().chain(more);
    let given = all
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    let config = PostgresConfig::parse(&given).unwrap();
    let captured = Captured::new(&config, &mut Vec::new()).unwrap();
    Compiler::new(&config, captured)
}

fn column(name: &str, type_oid: u32, required: bool, default: Option<&str>) -> ColumnInfo {
    ColumnInfo {
        name: name.to_owned(),
        type_oid,
        modifier: -1,
        source_type: String::new(),
        type_name: String::new(),
        required,
        default: default.map(str::to_owned),
    }
}

fn orders() -> TableInfo {
    TableInfo {
        oid: 1,
        schema: "public".into(),
        name: "orders".into(),
        columns: vec![
            column(
                "id",
                oid::INT4,
                true,
                Some("nextval('orders_id_seq'::regclass)"),
            ),
            column("customer", oid::TEXT, true, None),
            column("shape", 604, false, None),
            column("secret", oid::TEXT, false, Some("'none'::text")),
        ],
        key: vec!["id".into()],
        has_primary_key: true,
        replica_identity: b'd',
        select: None,
        streamed: false,
    }
}

#[test]
fn unknown_types_and_excluded_columns_are_left_out() {
    let excluded = [("column.exclude.list", "public.orders.secret")];
    let table = compiler(&excluded).compile(&orders(), &Customs::default());
    let value = table.route.value().unwrap();
    let (_, after) = value.field("after").unwrap();
    let names: Vec<&str> = after.schema.fields().iter().map(|f| &*f.name).collect();
    assert_eq!(names, ["id", "customer"]);
    assert_eq!(table.row.as_deref(), Some(&[0, 1][..]));
    assert_eq!(&*table.key, [0]);
    assert_eq!(value.name.as_deref(), Some("shop.public.orders.Envelope"));
    assert_eq!(table.tombstone.value(), None);
}

#[test]
fn key_columns_stay_in_the_key_when_they_are_excluded() {
    let excluded = [("column.exclude.list", "public.orders.id")];
    let table = compiler(&excluded).compile(&orders(), &Customs::default());
    assert_eq!(table.route.key().unwrap().fields().len(), 1);
    let chosen = [("message.key.columns", "public.orders:customer,id")];
    let table = compiler(&chosen).compile(&orders(), &Customs::default());
    assert_eq!(&*table.key, [1, 0]);
}

#[test]
fn required_columns_have_something_to_stand_for_null() {
    let table = compiler(&[]).compile(&orders(), &Customs::default());
    let mut batch = Batch::default();
    let zero = table.columns[1].fallback.as_ref().unwrap().cell(&mut batch);
    assert_eq!(zero, batch.push_bytes(b""));
    assert!(table.columns[3].fallback.is_none());
    let id = &table.route.key().unwrap().fields()[0];
    assert_eq!(id.schema.default, Some(Value::Int(0)));
}
