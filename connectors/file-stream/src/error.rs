//! Every error of these connectors.

connect_core::codes! {
    /// The file cannot be read.
    READ = "file.read", Retry, "Check that `file` names a file that this program may read.";
    /// The file cannot be opened for writing, or be written.
    WRITE = "file.write", Fail, "Check that the folder of `file` exists, has room, and that this program may write there.";
    /// A line is longer than this program keeps in memory.
    LINE = "file.line", Fail, "Give the file a line end at least every 16 MiB.";
}
