//! Tables of the binlog: what a table map says, joined with what the server says of the table.

use std::sync::Arc;

use cdc::captured::Captured;
use connect_core::{Error, Result};
use rustc_hash::FxHashMap;

use crate::{
    binlog::{Metadata, TableMap},
    catalog::{ColumnInfo, TableInfo},
    charset::Charset,
    ddl::{Change, Kind, Name},
    declared::Declared,
    error,
    layout::Layout,
    position::Mark,
    tables::{Compiler, Table},
    versions::{Ddl, Evolved, TableName, Versions},
    wire::{Connection, Fields},
};

/// A table of the binlog, by its number.
#[derive(Debug)]
pub(crate) struct Known {
    /// The bytes of its table map: the same number may come to be another table after a restart of the server.
    map: Box<[u8]>,
    /// The table; none when nobody captures it.
    pub table: Option<Arc<Table>>,
    /// How the values of its columns lie.
    pub layouts: Box<[Layout]>,
}

/// The tables that have come.
#[derive(Debug)]
pub(crate) struct Tables {
    compiler: Compiler,
    by_id: FxHashMap<u64, Known>,
    /// What the tables are.
    versions: Versions,
    /// What was compiled of them.
    compiled: FxHashMap<TableName, (TableInfo, Arc<Table>)>,
}

/// No server has more tables open than this; the numbers of others are forgotten.
const MOST_NUMBERS: usize = 100_000;

impl Tables {
    /// No numbers known yet; of the tables, what a snapshot has seen.
    pub(crate) fn new(compiler: Compiler, versions: Versions) -> Self {
        Self {
            compiler,
            by_id: FxHashMap::default(),
            versions,
            compiled: FxHashMap::default(),
        }
    }

    /// What is captured.
    pub(crate) fn captured(&self) -> &Captured {
        self.compiler.captured()
    }

    /// A table by its number.
    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&Known> {
        self.by_id.get(&id)
    }

    /// A captured table by its name; `None` when there is no such table, or nobody captures it.
    pub(crate) async fn named(
        &mut self,
        name: &TableName,
        connection: &mut Connection,
    ) -> Result<Option<Arc<Table>>> {
        if !self.compiler.captured().table(&name.0, &name.1) {
            return Ok(None);
        }
        let info = match self.versions.get(name) {
            Some(info) => Some(info),
            None => self.versions.ask(name, connection).await?,
        };
        let info = info.cloned();
        Ok(info.map(|info| self.compiled(name, info)))
    }

    /// What a table is known to be.
    pub(crate) fn version(&self, name: &TableName) -> Option<&TableInfo> {
        self.versions.get(name)
    }

    /// Takes in a statement that changes tables; gives what it did to those of captured databases.
    pub(crate) async fn evolve(
        &mut self,
        ddl: Ddl<'_>,
        changes: &[Change],
        connection: &mut Connection,
    ) -> Result<Vec<Evolved>> {
        let mut all = Vec::new();
        for change in changes {
            let captured = self.compiler.captured();
            let of =
                |name: &Name| captured.schema(name.database.as_deref().unwrap_or(ddl.database));
            if of(&change.table) || change.to.as_ref().is_some_and(of) {
                all.extend(self.versions.evolve(ddl, change, connection).await?);
            }
        }
        Ok(all)
    }

    /// A database is made, changed or dropped.
    pub(crate) fn database(&mut self, kind: Kind, name: &str, at: &Mark) {
        self.versions.database(kind, name, at);
    }

    /// What the tables are.
    pub(crate) fn into_versions(self) -> Versions {
        self.versions
    }

    /// What the tables are.
    pub(crate) fn versions(&mut self) -> &mut Versions {
        &mut self.versions
    }

    fn compiled(&mut self, name: &TableName, info: TableInfo) -> Arc<Table> {
        match self.compiled.get(name) {
            Some((of, table)) if *of == info => Arc::clone(table),
            _ => {
                tracing::info!(table = %info.full_name(), columns = info.columns.len(), "table learnt");
                let table = Arc::new(self.compiler.compile(&info));
                let known = (info, Arc::clone(&table));
                self.compiled.insert(name.clone(), known);
                table
            }
        }
    }

    /// Whether a table map is one that has come, or of no concern. If not, it has to be learnt.
    #[inline]
    pub(crate) fn knows(&mut self, map: &TableMap<'_>, body: &[u8]) -> bool {
        if (self.by_id.get(&map.id)).is_some_and(|known| *known.map == *body) {
            return true;
        }
        let captured = self.compiler.captured();
        if captured.table(map.database, map.name) {
            return false;
        }
        self.insert(map.id, body, None, Box::default());
        true
    }

    fn insert(&mut self, id: u64, body: &[u8], table: Option<Arc<Table>>, layouts: Box<[Layout]>) {
        if self.by_id.len() >= MOST_NUMBERS {
            self.by_id.clear();
        }
        let map = body.into();
        let known = Known {
            map,
            table,
            layouts,
        };
        self.by_id.insert(id, known);
    }

    /// Leaves a table out from here on.
    pub(crate) fn ignore(&mut self, map: &TableMap<'_>, body: &[u8]) {
        self.insert(map.id, body, None, Box::default());
    }

    /// Learns a captured table from its map, and from the server.
    pub(crate) async fn learn(
        &mut self,
        map: &TableMap<'_>,
        body: &[u8],
        connection: &mut Connection,
    ) -> Result<()> {
        let name = (map.database.to_owned(), map.name.to_owned());
        let layouts = Layout::of(map)?;
        let known = self.versions.get(&name);
        let joined = known.map(|info| joined(map, &layouts, info));
        let (info, layouts) = match joined {
            Some(Ok(joined)) => joined,
            _ => {
                let empty = TableInfo::new(&name.0, &name.1);
                let info = self.versions.ask(&name, connection).await?;
                joined_or_why(map, &layouts, info.unwrap_or(&empty))?
            }
        };
        let table = self.compiled(&name, info);
        self.insert(map.id, body, Some(table), layouts);
        Ok(())
    }

    /// Learns a table that nobody has to be asked for.
    #[cfg(test)]
    pub(crate) fn told(&mut self, map: &TableMap<'_>, info: &TableInfo) -> Result<()> {
        let (info, layouts) = joined_or_why(map, &Layout::of(map)?, info)?;
        let table = self.compiler.compile(&info);
        self.insert(map.id, &[], Some(Arc::new(table)), layouts);
        Ok(())
    }
}

fn joined_or_why(
    map: &TableMap<'_>,
    layouts: &[Layout],
    info: &TableInfo,
) -> Result<(TableInfo, Box<[Layout]>)> {
    joined(map, layouts, info).map_err(|why| {
        Error::new(&error::SCHEMA, why)
            .context("table", format!("{}.{}", map.database, map.name))
            .context("columns_logged", layouts.len())
            .context("columns_now", info.columns.len())
    })
}

/// The columns of the map under the names that it tells, with what the server says of those that are still there. Without
/// names, all columns have to be the server's.
fn joined(
    map: &TableMap<'_>,
    layouts: &[Layout],
    info: &TableInfo,
) -> std::result::Result<(TableInfo, Box<[Layout]>), &'static str> {
    let metadata = Metadata::of(map).map_err(|_| "the table map is malformed")?;
    let names = texts(metadata.names);
    let signs = Signs::of(layouts, &metadata);
    let columns = match names.len() == layouts.len() {
        true => told(&names, layouts, &signs, (map, &metadata), info),
        false => assumed(layouts, &signs, (map, &metadata), info)?,
    };
    let layouts =
        layouts
            .iter()
            .zip(&columns)
            .map(|(layout, column)| match column.declared.unsigned {
                true => layout.unsigned(),
                false => *layout,
            });
    let layouts = layouts.collect();
    let names = columns.iter().map(|column| &column.name);
    let has = |key: &String| columns.iter().any(|column| column.name == *key);
    let key = match info.key.iter().all(has) && !info.key.is_empty() {
        true => info.key.clone(),
        false => told_key(&metadata, &names.cloned().collect::<Vec<_>>()),
    };
    let info = TableInfo {
        database: map.database.to_owned(),
        name: map.name.to_owned(),
        columns,
        key,
        select: None,
        charset: info.charset.clone(),
        comment: info.comment.clone(),
    };
    Ok((info, layouts))
}

/// Which columns have no sign, as far as the map tells.
struct Signs(Option<Vec<bool>>);

impl Signs {
    fn of(layouts: &[Layout], metadata: &Metadata<'_>) -> Self {
        if metadata.unsigned.is_empty() {
            return Self(None);
        }
        let mut nth = 0;
        let mut is_unsigned = |layout: &Layout| {
            if !layout.is_numeric() {
                return false;
            }
            let byte = metadata.unsigned.get(nth / 8).copied().unwrap_or(0);
            let bit = byte & (0x80 >> (nth % 8)) != 0;
            nth += 1;
            bit
        };
        Self(Some(layouts.iter().map(&mut is_unsigned).collect()))
    }

    /// Whether a column has no sign; `None` when nobody tells.
    fn is_unsigned(&self, at: usize) -> Option<bool> {
        self.0.as_ref().and_then(|signs| signs.get(at)).copied()
    }
}

/// Whether what the server says of a column may be what the map has.
fn fits(layout: Layout, unsigned: Option<bool>, column: &ColumnInfo) -> bool {
    let is_int = matches!(layout, Layout::Int { .. });
    let sign = !is_int || unsigned.is_none_or(|unsigned| unsigned == column.declared.unsigned);
    sign && column.declared.fits(layout)
}

fn told(
    names: &[String],
    layouts: &[Layout],
    signs: &Signs,
    (map, metadata): (&TableMap<'_>, &Metadata<'_>),
    info: &TableInfo,
) -> Vec<ColumnInfo> {
    let members = Members::of(map, metadata);
    let nullable = crate::binlog::Image(map.nullable);
    let mut columns = Vec::with_capacity(names.len());
    for (at, (name, layout)) in names.iter().zip(layouts).enumerate() {
        let unsigned = signs.is_unsigned(at);
        let said = info.columns.iter().find(|column| column.name == *name);
        let (charset, members) = members.of_column(at);
        columns.push(match said.filter(|said| fits(*layout, unsigned, said)) {
            Some(said) => ColumnInfo {
                charset: said.charset.and(charset).or(said.charset),
                required: !nullable.has(at),
                ..said.clone()
            },
            None => {
                let is_text = charset.is_some_and(|charset| charset != Charset::Binary);
                let layout = match unsigned {
                    Some(true) => layout.unsigned(),
                    _ => *layout,
                };
                ColumnInfo {
                    charset,
                    required: !nullable.has(at),
                    ..ColumnInfo::new(name.clone(), Declared::of(layout, is_text, members))
                }
            }
        });
    }
    columns
}

fn assumed(
    layouts: &[Layout],
    signs: &Signs,
    (map, metadata): (&TableMap<'_>, &Metadata<'_>),
    info: &TableInfo,
) -> std::result::Result<Vec<ColumnInfo>, &'static str> {
    if info.columns.len() != layouts.len() {
        return Err("the table has other columns now than when its rows were logged");
    }
    let members = Members::of(map, metadata);
    let nullable = crate::binlog::Image(map.nullable);
    let mut columns = info.columns.clone();
    for (at, (layout, column)) in layouts.iter().zip(&mut columns).enumerate() {
        let (charset, _) = members.of_column(at);
        let is_text = charset.is_none_or(|it| (it != Charset::Binary) == column.charset.is_some());
        if !fits(*layout, signs.is_unsigned(at), column) || !is_text {
            return Err(
                "the columns of the table have other types now than when its rows were logged",
            );
        }
        // What was logged is what holds for its rows.
        column.charset = column.charset.and(charset).or(column.charset);
        column.required = !nullable.has(at);
    }
    Ok(columns)
}

/// Texts behind their lengths.
fn texts(bytes: &[u8]) -> Vec<String> {
    let mut fields = Fields(bytes);
    let mut texts = Vec::new();
    while let Ok(text) = fields.lenenc_bytes() {
        texts.push(String::from_utf8_lossy(text).into_owned());
    }
    texts
}

/// The names of the key's columns.
fn told_key(metadata: &Metadata<'_>, names: &[String]) -> Vec<String> {
    let mut fields = Fields(metadata.key);
    let mut key = Vec::new();
    while let Ok(at) = fields.len() {
        key.extend(names.get(at).cloned());
    }
    let mut fields = Fields(metadata.prefixed_key);
    while let (Ok(at), Ok(_)) = (fields.len(), fields.len()) {
        key.extend(names.get(at).cloned());
    }
    key
}

/// Character sets and members of the columns of a map.
struct Members {
    columns: Vec<(Option<Charset>, Vec<String>)>,
}

impl Members {
    fn of(map: &TableMap<'_>, metadata: &Metadata<'_>) -> Self {
        let layouts = Layout::of(map).unwrap_or_default();
        let mut texts = Collations::of(metadata.default_charset, metadata.charsets);
        let mut members = Collations::of(metadata.default_member_charset, metadata.member_charsets);
        let (mut enums, mut sets) = (Fields(metadata.enums), Fields(metadata.sets));
        let column = |layout: &Layout| match layout {
            Layout::Enum { .. } => {
                let charset = members.next();
                (charset, names(&mut enums, charset))
            }
            Layout::Set { .. } => {
                let charset = members.next();
                (charset, names(&mut sets, charset))
            }
            Layout::Bytes { holds, .. } if holds.has_charset() => (texts.next(), Vec::new()),
            _ => (None, Vec::new()),
        };
        Self {
            columns: layouts.iter().map(column).collect(),
        }
    }

    fn of_column(&self, at: usize) -> (Option<Charset>, Vec<String>) {
        self.columns.get(at).cloned().unwrap_or_default()
    }
}

fn names(fields: &mut Fields<'_>, charset: Option<Charset>) -> Vec<String> {
    let count = fields.len().unwrap_or(0);
    let mut names = Vec::new();
    for _ in 0..count {
        let Ok(bytes) = fields.lenenc_bytes() else {
            break;
        };
        let mut name = Vec::new();
        charset.unwrap_or(Charset::Utf8).push(bytes, &mut name);
        names.push(String::from_utf8_lossy(&name).into_owned());
    }
    names
}

/// The collations of columns, one after the other: that of most, but for some, or each by itself.
struct Collations {
    usual: Option<u64>,
    others: Vec<(u64, u64)>,
    each: Vec<u64>,
    nth: u64,
}

impl Collations {
    fn of(usual: &[u8], each: &[u8]) -> Self {
        let mut fields = Fields(usual);
        let first = fields.lenenc().ok();
        let mut others = Vec::new();
        while let (Ok(at), Ok(collation)) = (fields.lenenc(), fields.lenenc()) {
            others.push((at, collation));
        }
        let mut fields = Fields(each);
        let mut all = Vec::new();
        while let Ok(collation) = fields.lenenc() {
            all.push(collation);
        }
        Self {
            usual: first,
            others,
            each: all,
            nth: 0,
        }
    }

    fn next(&mut self) -> Option<Charset> {
        let nth = self.nth;
        self.nth += 1;
        let other = self.others.iter().find(|(at, _)| *at == nth);
        let by_itself = usize::try_from(nth).ok().and_then(|nth| self.each.get(nth));
        let collation = by_itself.or(other.map(|(_, collation)| collation)).copied();
        let id = collation.or(self.usual)?;
        Charset::of_collation(u16::try_from(id).ok()?)
    }
}
