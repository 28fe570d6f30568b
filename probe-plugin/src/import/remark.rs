//! What the reader of an import must know.

/// Something of the project that the reader must know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The test's name.
    pub test: String,
    /// Its place in the test, from 1; nothing where it is about the test as a whole.
    pub command: Option<usize>,
    /// The command as the IDE shows it.
    pub shown: String,
    /// Why.
    pub why: String,
    /// What it means for the journey.
    pub weight: Weight,
}

/// What a remark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The journey does not do it.
    LeftOut,
    /// The journey does it in another way.
    Changed,
    /// The journey needs nothing of the kind.
    Needless,
}

impl Weight {
    /// What a reader is told.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LeftOut => "left out",
            Self::Changed => "look at",
            Self::Needless => "not needed",
        }
    }
}
