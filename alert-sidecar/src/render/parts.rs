//! What a message is made of before any service's markup: plain texts, each said once. Layouts set them, and services that
//! ask for fields get them one by one.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use vigia_contract::data_model::Impact;

use super::{markup::cut, words::Labels};

/// The parts of one message. Layouts use them by these names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// The language's code.
    pub language: &'static str,
    /// What kind of message it is, by its name in the store.
    pub kind: &'static str,
    /// How much it matters; by its name in the data.
    #[serde(serialize_with = "name")]
    pub impact: Impact,
    /// A colour on which white is read, by day and by night; `#` and six hexadecimal digits.
    pub colour: &'static str,
    /// The same in one sign, for services that have no colours.
    pub symbol: &'static str,
    /// How much it matters, or that it is over, in capitals.
    pub badge: String,
    /// What people call the system.
    pub system: String,
    /// What users cannot do, or can do again.
    pub headline: String,
    /// Since when, or how long it lasted.
    pub when: String,
    /// Why, as a sentence.
    pub reason: String,
    /// Whether users can work again.
    pub is_over: bool,
    /// Said where the message may arrive twice.
    pub repeat: Option<String>,
    /// What each picture shows, in their order: the failing page, and the page when it was well.
    pub captions: Vec<String>,
    /// Where the service finds the pictures, where it takes them by their addresses.
    pub pictures: Vec<PictureLink>,
    /// Whether the pictures are in the message itself.
    pub has_pictures: bool,
    /// The identity by which a page refers to its picture.
    pub picture_id: &'static str,
    /// Said where somebody would expect a picture and there is none.
    pub no_picture: Option<String>,
    /// What stands in the data, with a label before each.
    pub details: Vec<(String, String)>,
    /// Why, as the probe says it; nothing where it is over.
    pub technical: Option<String>,
    /// What else is broken, one line each.
    pub others: Vec<String>,
    /// Where to go from here.
    pub links: Vec<Link>,
    /// Said where something was left out.
    pub shortened: Option<String>,
    /// What happens next.
    pub footer: String,
    /// That nobody wrote this.
    pub automatic: String,
    /// What stands before parts.
    pub labels: Labels,
    /// The incidents that it is about, the first one first.
    pub members: Vec<Member>,
}

/// A way on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it is for: `dashboard`, `acknowledge`, `silence` or `status`.
    pub purpose: &'static str,
    /// What people read.
    pub label: String,
    /// Where it leads.
    pub address: String,
}

/// A picture that a service fetches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PictureLink {
    /// Where it is for a while, for whoever has this address.
    pub address: String,
    /// What it shows.
    pub caption: String,
}

/// One of the incidents that a message is about, as it stands in the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its identity.
    pub id: String,
    /// The rule that opened it.
    pub rule: String,
    /// The system.
    pub system: String,
    /// The journey.
    pub journey: String,
    /// The probe that saw it.
    pub probe: String,
    /// How much it matters; by its name in the data.
    #[serde(serialize_with = "name")]
    pub impact: Impact,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// It in one line.
    pub line: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn name<S: Serializer>(impact: &Impact, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(impact.name())
}

/// How much of a message is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// The longest text of a part, in characters.
    text: usize,
    /// How many of the others are listed.
    others: usize,
}

/// From nearly everything to hardly anything.
pub(super) const MEASURES: [Measure; 5] = [
    Measure {
        text: 500,
        others: 50,
    },
    Measure {
        text: 300,
        others: 20,
    },
    Measure {
        text: 150,
        others: 10,
    },
    Measure {
        text: 80,
        others: 5,
    },
    Measure {
        text: 40,
        others: 2,
    },
];

impl Parts {
    /// The same with less, and a sentence that says so. `more` is what is said of those that are not listed.
    pub(super) fn within(&self, measure: Measure, shortened: &str, more: &str) -> Self {
        let mut parts = self.clone();
        let texts = [
            &mut parts.system,
            &mut parts.headline,
            &mut parts.when,
            &mut parts.reason,
        ];
        for text in texts
            .into_iter()
            .chain(&mut parts.technical)
            .chain(&mut parts.others)
            .chain(parts.details.iter_mut().map(|(_, value)| value))
        {
            *text = cut(text, measure.text);
        }
        let left_out = parts.others.len().saturating_sub(measure.others);
        if left_out > 0 {
            parts.others.truncate(measure.others);
            parts
                .others
                .push(more.replace("{n}", &left_out.to_string()));
        }
        parts.shortened = Some(shortened.to_owned());
        parts
    }
}
