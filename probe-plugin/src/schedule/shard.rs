//! Which of several probes takes a journey, where they share a set of them: each gives every journey a score of its own,
//! and the highest takes it (rendezvous hashing). Nobody asks anybody, and one more probe takes a few journeys from each of
//! the others and changes nothing else.

use serde::{Deserialize, Deserializer, de::Error};

use super::place::hash;

/// `"2/5"`: the second of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u16,
    of: u16,
}

impl Shard {
    fn parse(text: &str) -> Option<Self> {
        let (number, of) = text.split_once('/')?;
        let shard = Self {
            number: number.trim().parse().ok()?,
            of: of.trim().parse().ok()?,
        };
        (1..=shard.of).contains(&shard.number).then_some(shard)
    }

    /// Whether this probe takes the journey of this name.
    pub fn takes(self, name: &str) -> bool {
        let best = (1..=self.of).max_by_key(|number| score(name, *number));
        best == Some(self.number)
    }
}

fn score(name: &str, number: u16) -> u64 {
    mixed(hash(&format!("{name}\n{number}")))
}

/// Of hashes that begin alike the last byte changes too little of the high bits. Source of the constants: the finaliser of
/// `MurmurHash3` with 64 bits.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no share of the journeys\nhint: write which probe this is and how many there are: \"2/5\" is the second of five"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        (0..1000)
            .map(|number| format!("sistema-{}/journey-{number}", number % 150))
            .collect()
    }

    fn owner(name: &str, of: u16) -> u16 {
        let owners: Vec<u16> = (1..=of)
            .filter(|&number| Shard { number, of }.takes(name))
            .collect();
        assert_eq!(owners.len(), 1, "{name} has exactly one owner");
        owners[0]
    }

    #[test]
    fn every_journey_is_taken_by_one_probe_and_all_have_about_as_many() {
        let mut counts = [0; 5];
        for name in names() {
            counts[usize::from(owner(&name, 5)) - 1] += 1;
        }
        assert!(
            counts.iter().all(|count| (160..=240).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn one_more_probe_takes_its_part_and_moves_nothing_between_the_others() {
        let mut moved = 0;
        for name in names() {
            let (before, after) = (owner(&name, 5), owner(&name, 6));
            if before != after {
                assert_eq!(after, 6);
                moved += 1;
            }
        }
        assert!((120..=220).contains(&moved), "about a sixth: {moved}");
    }

    #[test]
    fn a_share_is_read_or_refused() {
        assert_eq!(Shard::parse("2/5"), Some(Shard { number: 2, of: 5 }));
        for wrong in ["", "2", "0/5", "6/5", "2/5/7", "a/b", "1/0", "-1/3"] {
            assert_eq!(Shard::parse(wrong), None, "{wrong}");
        }
    }
}
