//! Reads the annotated CSV that InfluxDB answers a Flux query with.
//!
//! One body holds several blocks, each with its own columns; an empty cell means the block's default; an error that
//! happened after the answer began is a block of its own inside a 200; and an answer that was cut short looks like a whole
//! one up to the cut. Each of these is seen here, or rows would be lost without anybody knowing.

use std::{ops::Range, sync::Arc};

use csv::StringRecord;
use jiff::Timestamp;

/// A cell's value. An empty cell without a default is no value at all: CSV cannot tell an empty text from none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// `string`, and the types that are not read further: durations and base64.
    Text(&'a str),
    /// `long`.
    Integer(i64),
    /// `unsignedLong`.
    Unsigned(u64),
    /// `double`.
    Float(f64),
    /// `boolean`.
    Boolean(bool),
    /// `dateTime:RFC3339` and `dateTime:RFC3339Nano`.
    Time(Timestamp),
}

/// One row, with the columns of its block. InfluxDB's own first two, the name of the result and the number of the table, are
/// `#result` and `#table` here: what the data calls so is not to be taken for them, where the data has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    columns: Arc<[Box<str>]>,
    /// All texts: of ten thousand rows most time would go into making each by itself.
    text: String,
    cells: Vec<Cell>,
}

/// A cell of a row.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Empty,
    /// Where it stands in the row's text.
    Text(Range<usize>),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Boolean(bool),
    Time(Timestamp),
}

impl Row {
    /// The value in this column, where there are both.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<Value<'_>> {
        // They are few: looking at each takes less than a hash of the name.
        let index = self.columns.iter().position(|name| **name == *column)?;
        Some(match self.cells.get(index)? {
            Cell::Empty => return None,
            Cell::Text(place) => Value::Text(self.text.get(place.clone())?),
            Cell::Integer(integer) => Value::Integer(*integer),
            Cell::Unsigned(unsigned) => Value::Unsigned(*unsigned),
            Cell::Float(float) => Value::Float(*float),
            Cell::Boolean(boolean) => Value::Boolean(*boolean),
            Cell::Time(time) => Value::Time(*time),
        })
    }

    /// The text in this column.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.get(column)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The time in this column.
    #[must_use]
    pub fn time(&self, column: &str) -> Option<Timestamp> {
        match self.get(column)? {
            Value::Time(time) => Some(time),
            _ => None,
        }
    }

    /// The whole number in this column.
    #[must_use]
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.get(column)? {
            Value::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    /// The number in this column, whatever its type.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a measured value is compared with a limit; beyond 2^53 nobody minds"
    )]
    pub fn number(&self, column: &str) -> Option<f64> {
        match self.get(column)? {
            Value::Float(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            Value::Unsigned(number) => Some(number as f64),
            _ => None,
        }
    }
}

/// Why a body could not be read whole. Rows before the fault are not used: half an answer is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// InfluxDB reported an error after it had begun to answer.
    #[error("the query failed after its answer began: {0}")]
    Query(String),
    /// The answer does not end as a whole one does.
    #[error("the answer ends in the middle")]
    CutShort,
    /// Something that InfluxDB does not write.
    #[error("record {record} of the answer is not annotated CSV: {what}")]
    Malformed {
        /// Counted from 1, without the empty lines.
        record: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// What the cells of a column are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Integer,
    Unsigned,
    Float,
    Boolean,
    Time,
}

impl Type {
    fn from_name(name: &str) -> Self {
        match name {
            "long" => Self::Integer,
            "unsignedLong" => Self::Unsigned,
            "double" => Self::Float,
            "boolean" => Self::Boolean,
            "dateTime:RFC3339" | "dateTime:RFC3339Nano" => Self::Time,
            _ => Self::Text,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "long",
            Self::Unsigned => "unsignedLong",
            Self::Float => "double",
            Self::Boolean => "boolean",
            Self::Time => "dateTime:RFC3339",
        }
    }

    /// Reads what is no text.
    fn read(self, text: &str) -> Option<Cell> {
        match self {
            Self::Text => None,
            Self::Integer => text.parse().ok().map(Cell::Integer),
            Self::Unsigned => text.parse().ok().map(Cell::Unsigned),
            Self::Float => text.parse().ok().map(Cell::Float),
            Self::Boolean => text.parse().ok().map(Cell::Boolean),
            Self::Time => text.parse().ok().map(Cell::Time),
        }
    }
}

/// What the annotations say about the rows below them.
#[derive(Default)]
struct Block {
    types: Vec<Type>,
    defaults: Vec<String>,
}

/// Reads a whole body. InfluxDB ends every result with an empty line; a body without one was cut short.
pub fn read(body: &str) -> Result<Vec<Row>, CsvError> {
    let mut rows = Vec::new();
    each(body, |row| rows.push(row.clone()))?;
    Ok(rows)
}

/// Reads a whole body and shows row by row, for answers of which little is kept. The rows that were shown before a fault are
/// not to be used.
pub fn each(body: &str, mut show: impl FnMut(&Row)) -> Result<(), CsvError> {
    let mut records = Records {
        rest: body,
        quoted: StringRecord::new(),
    };
    let mut block = Block::default();
    // One after the other is read into these.
    let mut record = Record::default();
    let mut row: Option<Row> = None;
    let mut error_follows = false;
    let mut number = 0;
    loop {
        number += 1;
        let more = records.read(&mut record);
        if !more.map_err(|error| malformed(number, &error.to_string()))? {
            break;
        }
        if error_follows {
            let message = record.iter().find(|cell| !cell.is_empty());
            return Err(CsvError::Query(message.unwrap_or("no message").to_owned()));
        }
        let mut cells = record.iter();
        match (cells.next(), &mut row) {
            (Some("#datatype"), _) => {
                block = Block {
                    types: cells.map(Type::from_name).collect(),
                    defaults: Vec::new(),
                };
                row = None;
            }
            (Some("#default"), _) => block.defaults = cells.map(str::to_owned).collect(),
            (Some("#group"), _) => {}
            (Some(""), Some(row)) if !is_error(&record) => {
                fill(row, &record, &block, number)?;
                show(row);
            }
            (Some("" | "error"), _) if is_error(&record) => error_follows = true,
            (Some(""), None) => row = Some(header(&record, &block, number)?),
            _ => {
                return Err(malformed(
                    number,
                    "a row begins with an annotation or an empty cell",
                ));
            }
        }
    }
    let ends_whole = body.ends_with("\n\r\n") || body.ends_with("\n\n") || body.trim().is_empty();
    if error_follows || !ends_whole {
        return Err(CsvError::CutShort);
    }
    Ok(())
}

/// The cells of one line.
#[derive(Default)]
struct Record {
    text: String,
    /// Where each stands in the text.
    cells: Vec<Range<usize>>,
}

impl Record {
    fn iter(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| &self.text[cell.clone()])
    }
}

/// Takes the records out of a body, one after the other.
struct Records<'a> {
    rest: &'a str,
    quoted: StringRecord,
}

impl Records<'_> {
    /// Gives whether there was one more; empty lines are none. Lines without quotes, which nearly all are, need no more than a
    /// look at each letter; that takes a third of the time.
    fn read(&mut self, record: &mut Record) -> Result<bool, csv::Error> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        record.text.clear();
        record.cells.clear();
        let bytes = self.rest.as_bytes();
        let mut begin = 0;
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                b',' => {
                    record.cells.push(begin..index);
                    begin = index + 1;
                }
                b'\r' | b'\n' => {
                    record.text.push_str(&self.rest[..index]);
                    record.cells.push(begin..index);
                    self.rest = &self.rest[index..];
                    return Ok(true);
                }
                b'"' => break,
                _ => {}
            }
        }
        record.cells.clear();
        self.read_quoted(record)
    }

    fn read_quoted(&mut self, record: &mut Record) -> Result<bool, csv::Error> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1024)
            .from_reader(self.rest.as_bytes());
        let is_one = reader.read_record(&mut self.quoted)?;
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        self.rest = self.rest.get(end..).unwrap_or_default();
        record.text.push_str(self.quoted.as_slice());
        let cells = 0..self.quoted.len();
        record
            .cells
            .extend(cells.filter_map(|index| self.quoted.range(index)));
        Ok(is_one)
    }
}

/// The header of the block that tells of an error.
fn is_error(record: &Record) -> bool {
    let mut cells = record.iter();
    let cells = (cells.next(), cells.next(), cells.next(), cells.next());
    matches!(
        cells,
        (Some("error"), Some("reference"), None, None)
            | (Some(""), Some("error"), Some("reference"), None)
    )
}

/// A row without values yet.
fn header(record: &Record, block: &Block, number: usize) -> Result<Row, CsvError> {
    let width = record.cells.len() - 1;
    if width != block.types.len() || block.defaults.len() != width {
        return Err(malformed(
            number,
            "the header is not as wide as its annotations",
        ));
    }
    let columns = record
        .iter()
        .skip(1)
        .enumerate()
        .map(|(index, name)| match (index, name) {
            (0, "result") => "#result".into(),
            (1, "table") => "#table".into(),
            (_, name) => name.into(),
        });
    Ok(Row {
        columns: columns.collect(),
        text: String::new(),
        cells: vec![Cell::Empty; width],
    })
}

/// Puts the values of a record in the place of those that were there.
fn fill(row: &mut Row, record: &Record, block: &Block, number: usize) -> Result<(), CsvError> {
    if record.cells.len() - 1 != block.types.len() {
        return Err(malformed(number, "the row is not as wide as its header"));
    }
    row.text.clear();
    row.text.push_str(&record.text);
    let columns = block.types.iter().zip(&block.defaults);
    let places = record.cells.iter().skip(1);
    for (((kind, default), cell), place) in columns.zip(&mut row.cells).zip(places) {
        let place = match (place.is_empty(), default.is_empty()) {
            (true, true) => {
                *cell = Cell::Empty;
                continue;
            }
            (true, false) => {
                row.text.push_str(default);
                row.text.len() - default.len()..row.text.len()
            }
            (false, _) => place.clone(),
        };
        *cell = if *kind == Type::Text {
            Cell::Text(place)
        } else {
            let text = &row.text[place];
            kind.read(text).ok_or_else(|| {
                let kind = kind.name();
                malformed(
                    number,
                    &format!("`{text}` is not a value of the type `{kind}`"),
                )
            })?
        };
    }
    Ok(())
}

fn malformed(number: usize, what: &str) -> CsvError {
    CsvError::Malformed {
        record: number,
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As InfluxDB 2.9 writes it: two tables with columns of their own, the second result's name in the default.
    const TWO_BLOCKS: &str = "#datatype,string,long,dateTime:RFC3339,string,double,boolean\r\n\
        #group,false,false,false,true,false,false\r\n\
        #default,_result,,,,,\r\n\
        ,result,table,_time,system,duration_ms,ok\r\n\
        ,,0,2026-11-22T13:32:05.123456789Z,\"tr\u{e1}mites, \"\"x\"\"\",12.5,true\r\n\
        ,,0,2026-11-22T13:32:06Z,plain,,false\r\n\
        \r\n\
        #datatype,string,long,long\r\n\
        #group,false,false,false\r\n\
        #default,second,,7\r\n\
        ,result,table,count\r\n\
        ,,1,-3\r\n\
        ,,1,\r\n\
        \r\n";

    #[test]
    fn every_block_has_its_own_columns_defaults_and_types() {
        let rows = read(TWO_BLOCKS).unwrap();

        assert_eq!(rows.len(), 4);
        assert_eq!(rows[0].text("#result"), Some("_result"));
        assert_eq!(rows[0].text("system"), Some("trámites, \"x\""));
        assert_eq!(
            rows[0].time("_time"),
            "2026-11-22T13:32:05.123456789Z".parse().ok()
        );
        assert_eq!(rows[0].get("duration_ms"), Some(Value::Float(12.5)));
        assert_eq!(rows[1].get("duration_ms"), None);
        assert_eq!(rows[1].get("ok"), Some(Value::Boolean(false)));
        assert_eq!(rows[2].text("#result"), Some("second"));
        assert_eq!(rows[2].integer("count"), Some(-3));
        assert_eq!(rows[3].integer("count"), Some(7));
        assert_eq!(rows[3].get("system"), None);
        assert_eq!(rows[0].get("result"), None);
    }

    #[test]
    fn an_answer_without_rows_is_no_rows() {
        assert_eq!(read("\r\n"), Ok(Vec::new()));
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn an_error_after_the_first_rows_is_an_error() {
        for tail in [
            "error,reference\r\nfailed to read,\r\n",
            "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,failed to read,897\r\n\r\n",
        ] {
            let body = format!("{TWO_BLOCKS}{tail}");
            assert_eq!(
                read(&body),
                Err(CsvError::Query("failed to read".into())),
                "{tail}"
            );
        }
    }

    #[test]
    fn what_is_not_annotated_csv_is_told_with_its_place() {
        for (body, expected) in [
            (
                "result,table\r\n",
                "record 1 of the answer is not annotated CSV: a row begins with an annotation or an empty cell",
            ),
            (
                "#datatype,long\r\n#group,false\r\n#default,\r\n,n\r\n,x\r\n\r\n",
                "record 5 of the answer is not annotated CSV: `x` is not a value of the type `long`",
            ),
            (
                "#datatype,long\r\n#group,false\r\n#default,\r\n,n,m\r\n\r\n",
                "record 4 of the answer is not annotated CSV: the header is not as wide as its annotations",
            ),
        ] {
            assert_eq!(read(body).unwrap_err().to_string(), expected);
        }
    }

    proptest! {
        /// What is read by hand is what the library for CSV reads.
        #[test]
        fn records_are_those_of_the_library(body in "[,a\"\r\né]{0,40}") {
            let mut library = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(body.as_bytes());
            let expected: Vec<Vec<String>> = library
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .collect();
            let mut records = Records { rest: &body, quoted: StringRecord::new() };
            let (mut record, mut found) = (Record::default(), Vec::new());
            while records.read(&mut record).unwrap() {
                found.push(record.iter().map(str::to_owned).collect::<Vec<_>>());
            }
            prop_assert_eq!(found, expected);
        }

        /// Wherever the connection breaks, the rows before the break are not taken for all of them. The one place where
        /// nobody can tell is between two results: there an answer may end.
        #[test]
        fn a_body_that_was_cut_short_is_never_taken_for_a_whole_one(cut in 1..TWO_BLOCKS.len()) {
            let between = TWO_BLOCKS.find("\r\n\r\n").unwrap() + 4;
            prop_assume!(cut != between && TWO_BLOCKS.is_char_boundary(cut));
            prop_assert!(read(&TWO_BLOCKS[..cut]).is_err(), "{:?}", &TWO_BLOCKS[..cut]);
        }

        #[test]
        fn no_text_makes_the_reader_panic(body in "[#,a-z\"\r\n]{0,200}") {
            drop(read(&body));
        }

        #[test]
        fn a_text_comes_out_as_it_went_in(text in "[^\r]{1,60}") {
            let mut body = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for record in [
                ["#datatype", "string", "string"],
                ["#group", "false", "false"],
                ["#default", "_result", ""],
                ["", "result", "value"],
                ["", "", &text],
            ] {
                body.write_record(record).unwrap();
            }
            let body = String::from_utf8(body.into_inner().unwrap()).unwrap() + "\r\n";
            let rows = read(&body).unwrap();
            prop_assert_eq!(rows[0].text("value"), Some(text.as_str()));
        }
    }
}
