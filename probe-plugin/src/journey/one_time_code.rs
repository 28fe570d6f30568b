//! One-time codes as an authenticator shows them: RFC 6238. Pure: what they are at a moment is told that moment.

use std::time::Duration;

use totp_rs::{Algorithm, Builder, Secret, Totp};
use url::Url;

/// What nearly every system takes where the key does not say.
const PERIOD_DEFAULT: u64 = 30;

/// Codes of fewer digits are refused by RFC 4226, section 5.3, of more by the authenticators.
const DIGITS: std::ops::RangeInclusive<u8> = 6..=8;

/// The key of an authenticator, as a system hands it out.
#[derive(Debug)]
pub struct CodeKey {
    totp: Totp,
    period: u64,
}

impl CodeKey {
    /// Reads a key in base32, spaces do not count, or a whole `otpauth://totp/...` address as a QR code holds it. What is
    /// wrong with one that cannot be read is said without any part of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if !text.starts_with("otpauth:") {
            return Self::new(text, Algorithm::SHA1, 6, PERIOD_DEFAULT);
        }
        let address = Url::parse(text).map_err(|_| "its otpauth address cannot be read")?;
        if address.host_str() != Some("totp") {
            return Err("its otpauth address is not of codes that change with time");
        }
        let value = |name: &str| {
            let pair = address.query_pairs().find(|(key, _)| key == name);
            pair.map(|(_, value)| value.into_owned())
        };
        let key = value("secret").ok_or("its otpauth address holds no key")?;
        let algorithm = match value("algorithm") {
            None => Algorithm::SHA1,
            Some(name) => {
                Algorithm::try_from(name).map_err(|_| "its otpauth address names no algorithm")?
            }
        };
        let digits = value("digits").map_or(Ok(6), |digits| digits.parse());
        let digits = digits.map_err(|_| "its otpauth address has no number of digits")?;
        let period = value("period").map_or(Ok(PERIOD_DEFAULT), |period| period.parse());
        let period = period.map_err(|_| "its otpauth address has no period in seconds")?;
        Self::new(&key, algorithm, digits, period)
    }

    fn new(key: &str, algorithm: Algorithm, digits: u8, period: u64) -> Result<Self, &'static str> {
        if !DIGITS.contains(&digits) {
            return Err("a code has 6, 7 or 8 digits");
        }
        if period == 0 {
            return Err("a code is good for a second at least");
        }
        let secret = Secret::try_from_base32(written_plainly(key))
            .ok()
            .filter(|secret| !secret.as_bytes().is_empty())
            .ok_or("it is not in base32")?;
        let builder = Builder::new()
            .with_algorithm(algorithm)
            .with_digits(digits)
            .with_step_duration(period)
            .with_secret(secret);
        // Keys of 80 bits are shorter than the RFC wants and are what many systems hand out.
        let totp = builder.build_noncompliant();
        Ok(Self { totp, period })
    }

    /// The code at a time since 1970.
    pub fn at(&self, time: Duration) -> String {
        self.totp.generate(time.as_secs()).to_string()
    }

    /// How long that code is still good.
    pub fn left(&self, time: Duration) -> Duration {
        let next = (time.as_secs() / self.period + 1) * self.period;
        Duration::from_secs(next).saturating_sub(time)
    }
}

/// As systems show a key it has groups, small letters and padding.
fn written_plainly(key: &str) -> String {
    key.chars()
        .filter(|character| !character.is_whitespace() && !"-=".contains(*character))
        .map(|character| character.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the keys are `1234567890` over and over, 20, 32 and 64 bytes of it.
    const KEYS: [(&str, &str); 3] = [
        ("SHA1", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        (
            "SHA256",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA",
        ),
        (
            "SHA512",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA",
        ),
    ];

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        let vectors = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (seconds, codes) in vectors {
            for ((algorithm, key), code) in KEYS.iter().zip(codes) {
                let address = format!(
                    "otpauth://totp/Portal:robot?secret={key}&algorithm={algorithm}&digits=8"
                );
                let key = CodeKey::parse(&address).unwrap();
                assert_eq!(
                    key.at(Duration::from_secs(seconds)),
                    code,
                    "{algorithm} at {seconds}"
                );
            }
        }
    }

    #[test]
    fn a_key_is_read_as_systems_show_it() {
        let seconds = Duration::from_secs(59);
        let plain = CodeKey::parse(KEYS[0].1).unwrap();
        assert_eq!(plain.at(seconds), "287082");
        for shown in [
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n",
            "GEZDGNBV-GY3TQOJQ-GEZDGNBV-GY3TQOJQ====",
            "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=y",
        ] {
            assert_eq!(CodeKey::parse(shown).unwrap().at(seconds), "287082");
        }
    }

    #[test]
    fn a_code_is_good_until_its_period_ends() {
        let key = CodeKey::parse(KEYS[0].1).unwrap();
        assert_eq!(
            key.left(Duration::from_millis(59_500)),
            Duration::from_millis(500)
        );
        assert_eq!(key.left(Duration::from_mins(1)), Duration::from_secs(30));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_told() {
        for wrong in [
            "clave1!",
            "",
            "otpauth://hotp/x?secret=GEZDGNBV",
            "otpauth://totp/x",
            "otpauth://totp/x?secret=GEZDGNBV&digits=11",
            "otpauth://totp/x?secret=GEZDGNBV&period=0",
            "otpauth://totp/x?secret=GEZDGNBV&algorithm=MD5",
        ] {
            let told = CodeKey::parse(wrong).unwrap_err();
            assert!(!told.contains("GEZD") && !told.contains("clave"), "{told}");
        }
    }
}
