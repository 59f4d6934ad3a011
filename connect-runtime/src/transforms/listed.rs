//! All transforms: their classes, how they are made, and their properties.

use connect_core::{
    Finding, Properties,
    config::{Config, Key},
    transform::{Made, Transform, TransformClass},
};

use super::{
    by_logical_table::{self, ByLogicalTable},
    cast::{Cast, CastConfig},
    changed_fields::{self, ChangedFields},
    content_based_router::{self, ContentBasedRouter},
    decode_message::{self, DecodeMessage},
    drop_headers::{DropHeaders, DropHeadersConfig},
    enforce_record_size::{self, EnforceRecordSize},
    event_router::{self, EventRouter},
    events::{EachEvent, Events},
    expression_filter::{self, ExpressionFilter},
    extract_field::{ExtractField, ExtractFieldConfig},
    extract_schema::ExtractSchema,
    filter::Filter,
    flatten::{Flatten, FlattenConfig},
    geometry_format::{self, GeometryFormat},
    header_from::{HeaderFrom, HeaderFromConfig},
    header_to_value::{self, HeaderToValue},
    hoist_field::{HoistField, HoistFieldConfig},
    insert_field::{InsertField, InsertFieldConfig},
    insert_header::{InsertHeader, InsertHeaderConfig},
    mask_field::{MaskField, MaskFieldConfig},
    open_lineage,
    partition_routing::{self, PartitionRouting},
    read_to_insert::ReadToInsert,
    regex_router::{RegexRouter, RegexRouterConfig},
    replace_field::{ReplaceField, ReplaceFieldConfig},
    reshape::{Reshape, Reshaper},
    schema_changes::{self, SchemaChanges},
    set_schema_metadata::{SetSchemaMetadata, SetSchemaMetadataConfig},
    shown::plain,
    side::Side::{self, Key as OfKey, Value as OfValue},
    swap_coordinates::{self, SwapCoordinates},
    timestamp_converter::{TimestampConverter, TimestampConverterConfig},
    timestamp_router::{TimestampRouter, TimestampRouterConfig},
    timezone_converter::{self, TimezoneConverter},
    tracing_span,
    unwrap::{self, Unwrap},
    value_to_key::{ValueToKey, ValueToKeyConfig},
    vector_to_json::VectorToJson,
};

const fn listed(
    class: &'static str,
    make: fn(&Properties) -> Made,
    keys: fn() -> Vec<Key>,
) -> TransformClass {
    TransformClass { class, make, keys }
}

fn boxed<T: Transform + 'static>(made: Result<T, Vec<Finding>>) -> Made {
    made.map(|made| Box::new(made) as Box<dyn Transform>)
}

fn side<R: Reshape + 'static>(side: Side, made: Result<R, Vec<Finding>>) -> Made {
    boxed(made.map(|made| Reshaper::new(side, made)))
}

fn events<E: EachEvent + 'static>(made: Result<E, Vec<Finding>>) -> Made {
    boxed(made.map(Events))
}

fn keys<C: Config>() -> Vec<Key> {
    plain(C::keys())
}

/// The values of these may be written in any case.
fn extract_field_keys() -> Vec<Key> {
    let mut keys = keys::<ExtractFieldConfig>();
    keys.iter_mut().for_each(|key| key.allowed = &[]);
    keys
}

/// Those that ask nobody, in the order of Kafka Connect's list of plugins.
pub(super) const ALL: &[TransformClass] = &[
    listed(
        "io.debezium.connector.mysql.transforms.ReadToInsertEvent",
        |_| boxed(Ok(Events(ReadToInsert))),
        Vec::new,
    ),
    listed(
        "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent",
        |given| events(DecodeMessage::new(given)),
        decode_message::keys,
    ),
    listed(
        "io.debezium.transforms.ByLogicalTableRouter",
        |given| boxed(ByLogicalTable::new(given)),
        by_logical_table::keys,
    ),
    listed(
        "io.debezium.transforms.ContentBasedRouter",
        |given| boxed(ContentBasedRouter::new(given)),
        content_based_router::keys,
    ),
    listed(
        "io.debezium.transforms.EnforceRecordSize",
        |given| events(EnforceRecordSize::new(given)),
        enforce_record_size::keys,
    ),
    listed(
        "io.debezium.transforms.ExtractChangedRecordState",
        |given| events(ChangedFields::new(given)),
        changed_fields::keys,
    ),
    listed(
        "io.debezium.transforms.ExtractNewRecordState",
        |given| boxed(Unwrap::new(given)),
        unwrap::keys,
    ),
    listed(
        "io.debezium.transforms.ExtractSchemaToNewRecord",
        |_| events(Ok(ExtractSchema::default())),
        Vec::new,
    ),
    listed(
        "io.debezium.transforms.Filter",
        |given| boxed(ExpressionFilter::new(given)),
        expression_filter::keys,
    ),
    listed(
        "io.debezium.transforms.GeometryFormatTransformer",
        |given| side(OfValue, GeometryFormat::new(given)),
        geometry_format::keys,
    ),
    listed(
        "io.debezium.transforms.HeaderToValue",
        |given| events(HeaderToValue::new(given)),
        header_to_value::keys,
    ),
    listed(
        "io.debezium.transforms.SchemaChangeEventFilter",
        |given| events(SchemaChanges::new(given)),
        schema_changes::keys,
    ),
    listed(
        "io.debezium.transforms.SwapGeometryCoordinates",
        |given| side(OfValue, SwapCoordinates::new(given)),
        swap_coordinates::keys,
    ),
    listed(
        "io.debezium.transforms.TimezoneConverter",
        |given| events(TimezoneConverter::new(given)),
        timezone_converter::keys,
    ),
    listed(
        "io.debezium.transforms.VectorToJsonConverter",
        |_| side(OfValue, Ok(VectorToJson)),
        Vec::new,
    ),
    listed(
        "io.debezium.transforms.openlineage.OpenLineage",
        |_| events(open_lineage::new()),
        Vec::new,
    ),
    listed(
        "io.debezium.transforms.outbox.EventRouter",
        |given| boxed(EventRouter::new(given)),
        event_router::keys,
    ),
    listed(
        "io.debezium.transforms.partitions.PartitionRouting",
        |given| events(PartitionRouting::new(given)),
        partition_routing::keys,
    ),
    listed(
        "io.debezium.transforms.tracing.ActivateTracingSpan",
        |given| events(tracing_span::new(given)),
        tracing_span::keys,
    ),
    listed(
        "org.apache.kafka.connect.transforms.Cast$Key",
        |given| side(OfKey, Cast::new(given)),
        keys::<CastConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.Cast$Value",
        |given| side(OfValue, Cast::new(given)),
        keys::<CastConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.DropHeaders",
        |given| boxed(DropHeaders::new(given)),
        keys::<DropHeadersConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.ExtractField$Key",
        |given| side(OfKey, ExtractField::new(given)),
        extract_field_keys,
    ),
    listed(
        "org.apache.kafka.connect.transforms.ExtractField$Value",
        |given| side(OfValue, ExtractField::new(given)),
        extract_field_keys,
    ),
    listed(
        "org.apache.kafka.connect.transforms.Filter",
        |_| boxed(Ok(Filter)),
        Vec::new,
    ),
    listed(
        "org.apache.kafka.connect.transforms.Flatten$Key",
        |given| side(OfKey, Flatten::new(given)),
        keys::<FlattenConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.Flatten$Value",
        |given| side(OfValue, Flatten::new(given)),
        keys::<FlattenConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.HeaderFrom$Key",
        |given| boxed(HeaderFrom::new(OfKey, given)),
        keys::<HeaderFromConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.HeaderFrom$Value",
        |given| boxed(HeaderFrom::new(OfValue, given)),
        keys::<HeaderFromConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.HoistField$Key",
        |given| side(OfKey, HoistField::new(given)),
        keys::<HoistFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.HoistField$Value",
        |given| side(OfValue, HoistField::new(given)),
        keys::<HoistFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.InsertField$Key",
        |given| side(OfKey, InsertField::new(given)),
        keys::<InsertFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.InsertField$Value",
        |given| side(OfValue, InsertField::new(given)),
        keys::<InsertFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.InsertHeader",
        |given| boxed(InsertHeader::new(given)),
        keys::<InsertHeaderConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.MaskField$Key",
        |given| side(OfKey, MaskField::new(given)),
        keys::<MaskFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.MaskField$Value",
        |given| side(OfValue, MaskField::new(given)),
        keys::<MaskFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.RegexRouter",
        |given| boxed(RegexRouter::new(given)),
        keys::<RegexRouterConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.ReplaceField$Key",
        |given| side(OfKey, ReplaceField::new(given)),
        keys::<ReplaceFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.ReplaceField$Value",
        |given| side(OfValue, ReplaceField::new(given)),
        keys::<ReplaceFieldConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key",
        |given| side(OfKey, SetSchemaMetadata::new(given)),
        keys::<SetSchemaMetadataConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
        |given| side(OfValue, SetSchemaMetadata::new(given)),
        keys::<SetSchemaMetadataConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.TimestampConverter$Key",
        |given| side(OfKey, TimestampConverter::new(given)),
        keys::<TimestampConverterConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.TimestampConverter$Value",
        |given| side(OfValue, TimestampConverter::new(given)),
        keys::<TimestampConverterConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.TimestampRouter",
        |given| boxed(TimestampRouter::new(given)),
        keys::<TimestampRouterConfig>,
    ),
    listed(
        "org.apache.kafka.connect.transforms.ValueToKey",
        |given| boxed(ValueToKey::new(given)),
        keys::<ValueToKeyConfig>,
    ),
];
