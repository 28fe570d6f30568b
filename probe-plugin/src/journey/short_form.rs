//! Values that are written as a text where that says it all, and as a table where it does not.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What stands where a table could stand.
#[derive(Clone, Copy, Debug)]
pub enum Short<'s> {
    /// A text.
    Text(&'s str),
    /// A number.
    Number(i64),
}

/// Reads either; `expected` is how an operator would say what may stand here.
pub fn read<'de, D, Table, T>(
    deserializer: D,
    expected: &'static str,
    of_short: impl FnOnce(Short<'_>) -> Result<T, String>,
    of_table: impl FnOnce(Table) -> Result<T, String>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    Table: Deserialize<'de>,
{
    deserializer.deserialize_any(EitherForm {
        expected,
        of_short,
        of_table,
        table: PhantomData,
    })
}

struct EitherForm<OfShort, OfTable, Table> {
    expected: &'static str,
    of_short: OfShort,
    of_table: OfTable,
    table: PhantomData<Table>,
}

impl<'de, T, Table, OfShort, OfTable> Visitor<'de> for EitherForm<OfShort, OfTable, Table>
where
    Table: Deserialize<'de>,
    OfShort: FnOnce(Short<'_>) -> Result<T, String>,
    OfTable: FnOnce(Table) -> Result<T, String>,
{
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.of_short)(Short::Text(text)).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        (self.of_short)(Short::Number(number)).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        (self.of_table)(table).map_err(A::Error::custom)
    }
}
