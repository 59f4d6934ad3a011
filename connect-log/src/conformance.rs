//! What every log must do, as one suite of checks.
//!
//! `connect_log::conformance_tests!(subject)` makes one `#[tokio::test]` of each check, where `subject` is an
//! `async fn() -> Subject`. Checks make topics, groups and ids of their own, so all of them can share one log and run at once.

// A check fails by panicking, as tests do.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod appending;
pub mod compacting;
pub mod grouping;
pub mod reading;
mod subject;
pub mod topics;
pub mod transactions;

pub use subject::{Got, Subject, Upkeep};

/// One test per check; with `transactions of` those of transactions alone.
#[macro_export]
macro_rules! conformance_tests {
    ($subject:path) => {
        $crate::conformance_tests!(@each $subject,
            appending::records_come_back_in_order,
            appending::what_is_durable_is_visible,
            appending::keys_go_where_kafka_puts_them,
            appending::headers_survive,
            appending::timestamps_survive,
            appending::null_is_not_empty,
            appending::only_what_is_too_large_is_refused,
            appending::a_topic_must_exist,
            appending::appenders_do_not_disturb_each_other,
            appending::a_long_run_keeps_its_order,
            transactions::nothing_is_seen_before_the_commit,
            transactions::what_is_aborted_is_never_seen,
            transactions::records_and_offsets_appear_together,
            transactions::offsets_follow_records_without_a_transaction,
            transactions::a_newer_appender_fences_the_older,
            transactions::fencing_without_an_heir,
            transactions::a_commit_over_many_topics,
            reading::a_waiting_reader_is_woken,
            reading::nothing_to_read_is_idle,
            reading::a_seek_goes_there,
            reading::a_paused_partition_is_silent,
            reading::reading_begins_where_the_setting_says,
            reading::an_offset_that_is_gone_is_reset,
            reading::no_more_records_than_asked_for,
            reading::polls_add_up,
            reading::offsets_of_times,
            reading::lag_is_what_is_left,
            reading::a_reader_knows_its_place,
            reading::a_topic_is_read_to_its_end,
            grouping::a_group_goes_on_where_it_committed,
            grouping::two_members_share,
            grouping::what_was_revoked_can_be_committed_until_the_next_poll,
            grouping::a_dropped_member_leaves,
            grouping::a_group_with_members_is_busy,
            grouping::groups_do_not_see_each_other,
            grouping::a_topic_that_comes_later_is_found,
            topics::a_topic_has_a_life,
            topics::a_deleted_topic_comes_back_empty,
            topics::deleted_records_are_gone,
            topics::nonsense_is_refused,
            compacting::the_last_of_each_key_is_left,
            compacting::tombstones_go_after_their_time,
            compacting::a_compacted_topic_is_compacted_again,
            compacting::old_records_go,
            compacting::too_many_bytes_go,
        );
    };
    (transactions of $subject:path) => {
        $crate::conformance_tests!(@each $subject,
            transactions::nothing_is_seen_before_the_commit,
            transactions::what_is_aborted_is_never_seen,
            transactions::records_and_offsets_appear_together,
            transactions::a_newer_appender_fences_the_older,
            transactions::fencing_without_an_heir,
            transactions::a_commit_over_many_topics,
        );
    };
    (@each $subject:path, $($module:ident::$check:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                $crate::conformance::$module::$check(&$subject().await).await;
            }
        )*
    };
}
