//! The calls to librdkafka that its Rust binding does not have. The only `unsafe` code of the project.
//!
//! Administration: group offsets, offsets by time and incremental changes of settings are not in the binding.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_int},
    ptr::{self, NonNull},
    slice,
    time::Duration,
};

use rdkafka::{
    ClientContext, TopicPartitionList, bindings as c,
    client::Client,
    error::IsError,
    types::{RDKafkaErrorCode as Kafka, RDKafkaRespErr},
};

use super::{client::Context, oauth};

/// What a native call gives.
pub(super) type Outcome<T> = Result<T, Kafka>;

/// A pointer that librdkafka gave to us, with how to give it back.
struct Owned<T> {
    pointer: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// `None` when librdkafka gave nothing.
    fn new(pointer: *mut T, free: unsafe extern "C" fn(*mut T)) -> Outcome<Self> {
        let pointer = NonNull::new(pointer).ok_or(Kafka::InvalidArgument)?;
        Ok(Self { pointer, free })
    }

    fn get(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from librdkafka, is freed by its own function, and nobody else has it.
        unsafe { (self.free)(self.get()) }
    }
}

/// Takes an error object over. Its flags (abort, fatal) are turned into codes, since the binding cannot carry it.
fn outcome_of(error: *mut c::rd_kafka_error_t) -> rdkafka::error::KafkaResult<()> {
    let Some(error) = NonNull::new(error) else {
        return Ok(());
    };
    // SAFETY: a non-null error object is valid until it is destroyed below, once.
    let code = unsafe {
        let code = c::rd_kafka_error_code(error.as_ptr());
        c::rd_kafka_error_destroy(error.as_ptr());
        code
    };
    Err(rdkafka::error::KafkaError::Global(code.into()))
}

/// Commits offsets for a group without members.
pub(super) fn alter_group_offsets(
    client: &Client<Context>,
    group: &str,
    offsets: &TopicPartitionList,
    timeout: Duration,
) -> Outcome<()> {
    let group = CString::new(group).map_err(|_| Kafka::InvalidGroupId)?;
    // SAFETY: name and list are copied.
    let request =
        unsafe { c::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), offsets.ptr()) };
    let request = Owned::new(request, c::rd_kafka_AlterConsumerGroupOffsets_destroy)?;
    let op = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS;
    let event = call(client, op, timeout, |rk, options, queue| {
        // SAFETY: options and queue live until the answer; one request in an array of one, copied by the call.
        unsafe { c::rd_kafka_AlterConsumerGroupOffsets(rk, &mut request.get(), 1, options, queue) }
    })?;
    // SAFETY: the event is of this kind, and what it points to lives as long as it.
    unsafe {
        let result = c::rd_kafka_event_AlterConsumerGroupOffsets_result(event.get());
        let mut count = 0;
        let groups = c::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &raw mut count);
        group_done(groups, count)
    }
}

/// Removes committed offsets of a group that does not read these topics.
pub(super) fn delete_group_offsets(
    client: &Client<Context>,
    group: &str,
    partitions: &TopicPartitionList,
    timeout: Duration,
) -> Outcome<()> {
    let group = CString::new(group).map_err(|_| Kafka::InvalidGroupId)?;
    // SAFETY: name and list are copied.
    let request =
        unsafe { c::rd_kafka_DeleteConsumerGroupOffsets_new(group.as_ptr(), partitions.ptr()) };
    let request = Owned::new(request, c::rd_kafka_DeleteConsumerGroupOffsets_destroy)?;
    let op = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS;
    let event = call(client, op, timeout, |rk, options, queue| {
        // SAFETY: as in `alter_group_offsets`.
        unsafe { c::rd_kafka_DeleteConsumerGroupOffsets(rk, &mut request.get(), 1, options, queue) }
    })?;
    // SAFETY: as in `alter_group_offsets`.
    unsafe {
        let result = c::rd_kafka_event_DeleteConsumerGroupOffsets_result(event.get());
        let mut count = 0;
        let groups = c::rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &raw mut count);
        group_done(groups, count)
    }
}

/// The offset for a point of each partition: -2 the earliest, -1 the end, else the first at or after this time (-1 for none). What is committed
/// ends before the first open transaction.
pub(super) fn offsets_at(
    client: &Client<Context>,
    of: &TopicPartitionList,
    committed: bool,
    timeout: Duration,
) -> Outcome<Vec<(i32, i64)>> {
    let op = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
    let level = match committed {
        true => c::rd_kafka_IsolationLevel_t::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED,
        false => c::rd_kafka_IsolationLevel_t::RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED,
    };
    let event = call(client, op, timeout, |rk, options, queue| {
        // SAFETY: as in `alter_group_offsets`; the list is copied.
        unsafe {
            c::rd_kafka_AdminOptions_set_isolation_level(options, level);
            c::rd_kafka_ListOffsets(rk, of.ptr(), options, queue);
        }
    })?;
    // SAFETY: the event is of this kind, its array has `count` entries and lives as long as it.
    unsafe {
        let result = c::rd_kafka_event_ListOffsets_result(event.get());
        let mut count = 0;
        let infos = c::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
        if infos.is_null() || count == 0 {
            return Err(Kafka::UnknownPartition);
        }
        let infos = slice::from_raw_parts(infos, count);
        let one = |info: &*const c::rd_kafka_ListOffsetsResultInfo_t| {
            offset_of(c::rd_kafka_ListOffsetsResultInfo_topic_partition(*info))
        };
        infos.iter().map(one).collect()
    }
}

/// Sets settings of a topic; others stay.
pub(super) fn alter_topic<'a>(
    client: &Client<Context>,
    name: &str,
    settings: impl Iterator<Item = (&'a String, &'a String)>,
    timeout: Duration,
) -> Outcome<()> {
    let name = CString::new(name).map_err(|_| Kafka::InvalidTopic)?;
    let kind = c::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
    // SAFETY: the name is copied.
    let topic = unsafe { c::rd_kafka_ConfigResource_new(kind, name.as_ptr()) };
    let topic = Owned::new(topic, c::rd_kafka_ConfigResource_destroy)?;
    for (name, value) in settings {
        let name = CString::new(name.as_str()).map_err(|_| Kafka::InvalidConfig)?;
        let value = CString::new(value.as_str()).map_err(|_| Kafka::InvalidConfig)?;
        let set = c::rd_kafka_AlterConfigOpType_t::RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET;
        // SAFETY: both texts are copied; the error, if any, is ours.
        let error = unsafe {
            c::rd_kafka_ConfigResource_add_incremental_config(
                topic.get(),
                name.as_ptr(),
                set,
                value.as_ptr(),
            )
        };
        outcome_of(error).map_err(|_| Kafka::InvalidConfig)?;
    }
    let op = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS;
    let event = call(client, op, timeout, |rk, options, queue| {
        // SAFETY: as in `alter_group_offsets`.
        unsafe { c::rd_kafka_IncrementalAlterConfigs(rk, &mut topic.get(), 1, options, queue) }
    })?;
    // SAFETY: the event is of this kind, its array has `count` entries and lives as long as it.
    let codes = unsafe {
        let result = c::rd_kafka_event_IncrementalAlterConfigs_result(event.get());
        let mut count = 0;
        let all = c::rd_kafka_IncrementalAlterConfigs_result_resources(result, &raw mut count);
        let all = if count == 0 {
            &[]
        } else {
            slice::from_raw_parts(all, count)
        };
        all.iter()
            .map(|one| c::rd_kafka_ConfigResource_error(*one))
            .collect::<Vec<_>>()
    };
    codes.into_iter().try_for_each(outcome)
}

/// Waits a moment for what librdkafka has to tell beside answers: errors of the cluster, and that it needs a token. The binding's own
/// client for administration leaves that lie.
pub(super) fn serve(client: &Client<Context>) {
    const MOMENT: c_int = 100;
    let rk = client.native_ptr();
    // SAFETY: `rk` lives as long as `client`; the queue and the event are freed once, by their owners.
    let event = unsafe {
        let queue = Owned::new(c::rd_kafka_queue_get_main(rk), c::rd_kafka_queue_destroy);
        let Ok(queue) = queue else { return };
        c::rd_kafka_queue_poll(queue.get(), MOMENT)
    };
    let Ok(event) = Owned::new(event, c::rd_kafka_event_destroy) else {
        return;
    };
    // SAFETY: the event is valid, and its texts live as long as it.
    unsafe {
        match c::rd_kafka_event_type(event.get()) {
            c::RD_KAFKA_EVENT_ERROR => {
                let code = c::rd_kafka_event_error(event.get()).into();
                let reason = text_of(c::rd_kafka_event_error_string(event.get()));
                client
                    .context()
                    .error(rdkafka::error::KafkaError::Global(code), &reason);
            }
            c::RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH => {
                let config = text_of(c::rd_kafka_event_config_string(event.get()));
                give_token(rk, &config);
            }
            _ => {}
        }
    }
}

/// # Safety
/// `text` must be null or a C string.
unsafe fn text_of(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

fn give_token(rk: *mut c::rd_kafka_t, config: &str) {
    let fail = |why: &str| {
        let why = CString::new(why.replace('\0', " ")).unwrap_or_default();
        // SAFETY: the text is copied.
        unsafe { c::rd_kafka_oauthbearer_set_token_failure(rk, why.as_ptr()) };
    };
    let token = match oauth::wait(config) {
        Ok(token) => token,
        Err(error) => return fail(&error.report()),
    };
    let parts = CString::new(token.text).and_then(|text| {
        let principal = CString::new(token.principal)?;
        Ok((text, principal))
    });
    let Ok((text, principal)) = parts else {
        return fail("the token cannot be sent");
    };
    // SAFETY: all texts are copied; no extensions, and no room for an error's text, are allowed.
    let code = unsafe {
        c::rd_kafka_oauthbearer_set_token(
            rk,
            text.as_ptr(),
            token.expires_ms,
            principal.as_ptr(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            0,
        )
    };
    if code.is_error() {
        fail("the token cannot be used");
    }
}

/// Runs one request of the admin interface and waits for its answer.
fn call(
    client: &Client<Context>,
    op: c::rd_kafka_admin_op_t,
    timeout: Duration,
    start: impl FnOnce(*mut c::rd_kafka_t, *mut c::rd_kafka_AdminOptions_t, *mut c::rd_kafka_queue_t),
) -> Outcome<Owned<c::rd_kafka_event_t>> {
    let rk = client.native_ptr();
    // SAFETY: `rk` lives as long as `client`; both objects are freed once, after the answer, by their owners.
    let (queue, options) = unsafe {
        let queue = Owned::new(c::rd_kafka_queue_new(rk), c::rd_kafka_queue_destroy)?;
        let options = c::rd_kafka_AdminOptions_new(rk, op);
        (
            queue,
            Owned::new(options, c::rd_kafka_AdminOptions_destroy)?,
        )
    };
    // SAFETY: an empty error buffer is allowed.
    unsafe {
        let limit = millis(timeout);
        c::rd_kafka_AdminOptions_set_request_timeout(options.get(), limit, ptr::null_mut(), 0);
    }
    start(rk, options.get(), queue.get());
    // The request ends by its own time limit; a second more only guards against an answer that never comes.
    let limit = millis(timeout + Duration::from_secs(1));
    // SAFETY: the queue is ours.
    let event = unsafe { c::rd_kafka_queue_poll(queue.get(), limit) };
    let event =
        Owned::new(event, c::rd_kafka_event_destroy).map_err(|_| Kafka::OperationTimedOut)?;
    // SAFETY: the event is valid.
    outcome(unsafe { c::rd_kafka_event_error(event.get()) })?;
    Ok(event)
}

/// The error of the group or of one of its partitions, if any.
///
/// # Safety
/// `groups` must be an array of `count` results, as an admin answer gives it.
unsafe fn group_done(groups: *mut *const c::rd_kafka_group_result_t, count: usize) -> Outcome<()> {
    if groups.is_null() || count == 0 {
        return Ok(());
    }
    // SAFETY: the first of at least one; lists live as long as the answer.
    unsafe {
        let error = c::rd_kafka_group_result_error(*groups);
        if !error.is_null() {
            return Err(c::rd_kafka_error_code(error).into());
        }
        let list = c::rd_kafka_group_result_partitions(*groups);
        let Some(list) = list.as_ref().filter(|list| list.cnt > 0) else {
            return Ok(());
        };
        let rows = slice::from_raw_parts(list.elems, usize::try_from(list.cnt).unwrap_or(0));
        rows.iter().try_for_each(|one| outcome(one.err))
    }
}

/// The offset of a row of a partition list, or its error.
///
/// # Safety
/// `of` must be null or a valid row.
unsafe fn offset_of(of: *const c::rd_kafka_topic_partition_t) -> Outcome<(i32, i64)> {
    // SAFETY: the caller's promise.
    let of = unsafe { of.as_ref() }.ok_or(Kafka::UnknownPartition)?;
    outcome(of.err)?;
    Ok((of.partition, of.offset))
}

fn outcome(code: RDKafkaRespErr) -> Outcome<()> {
    if code.is_error() {
        Err(code.into())
    } else {
        Ok(())
    }
}

fn millis(time: Duration) -> c_int {
    c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX)
}
