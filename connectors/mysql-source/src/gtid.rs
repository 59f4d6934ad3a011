//! Sets of transaction ids, as both servers write them.

mod mariadb;
mod mysql;

pub use mariadb::MariaDbGtids;
pub use mysql::GtidSet;
