//! Content by its digest.

use sha2::{Digest, Sha256};

/// How large something is, and its SHA-256 in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
}

impl Fingerprint {
    pub(crate) fn of(content: &[u8]) -> Self {
        Self::new(content.len(), Sha256::new_with_prefix(content))
    }

    /// Of what this is the Base64 of, standard or for URLs, with padding or without; `None` if it
    /// is not Base64.
    pub(crate) fn of_base64(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches('=').as_bytes();
        let n_padding = text.len() - digits.len();
        let is_whole = n_padding == 0 || (n_padding <= 2 && text.len().is_multiple_of(4));
        // One digit alone in the last group says less than a byte.
        if digits.is_empty() || !is_whole || digits.len() % 4 == 1 {
            return None;
        }
        let mut hash = Sha256::new();
        let mut bytes = 0;
        let mut decoded = Vec::with_capacity(CHUNK / 4 * 3);
        for chunk in digits.chunks(CHUNK) {
            decoded.clear();
            for group in chunk.chunks(4) {
                decode(group, &mut decoded)?;
            }
            bytes += decoded.len();
            hash.update(&decoded);
        }
        Some(Self::new(bytes, hash))
    }

    fn new(bytes: usize, hash: Sha256) -> Self {
        let hex = |hex: String, byte: &u8| format!("{hex}{byte:02x}");
        let sha256 = hash.finalize().iter().fold(String::new(), hex);
        Self { bytes, sha256 }
    }
}

/// How many digits are decoded at once; whole groups of four.
const CHUNK: usize = 64 << 10;

/// The value of each digit; 64 for what is none.
const DIGITS: [u8; 256] = {
    let mut table = [64; 256];
    let standard = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[standard[value as usize] as usize] = value;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Adds the bytes that up to four digits stand for.
fn decode(group: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let mut bits = 0_u32;
    for digit in group {
        let value = DIGITS[usize::from(*digit)];
        if value == 64 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
    }
    // Up to the full 24 bits, with what is missing as zeros.
    let [_, bytes @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
    into.extend_from_slice(&bytes[..group.len() - 1]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_stands_for_its_bytes() {
        for (text, bytes) in [
            ("Zg==", "f"),
            ("Zg", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(
                Fingerprint::of_base64(text),
                Some(Fingerprint::of(bytes.as_bytes())),
                "{text}"
            );
        }
        let (standard, url) = ("+/+/", "-_-_");
        assert_eq!(
            Fingerprint::of_base64(standard),
            Fingerprint::of_base64(url)
        );
        assert_eq!(
            Fingerprint::of_base64(standard),
            Some(Fingerprint::of(&[0xfb, 0xff, 0xbf]))
        );
    }

    #[test]
    fn longer_than_a_chunk_is_no_other_than_in_one() {
        let text = "Zm9v".repeat(CHUNK / 2);
        let bytes = "foo".repeat(CHUNK / 2);
        assert_eq!(
            Fingerprint::of_base64(&text),
            Some(Fingerprint::of(bytes.as_bytes()))
        );
    }

    #[test]
    fn what_is_no_base64_has_no_bytes() {
        for text in [
            "", "=", "Z", "Zm9vZ", "Zg=", "Zm9v=", "Z===", "Zm 9", "Zmé9", "Zm9v\n",
        ] {
            assert_eq!(Fingerprint::of_base64(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_digest_is_what_others_compute() {
        assert_eq!(
            Fingerprint::of(b"abc").sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
