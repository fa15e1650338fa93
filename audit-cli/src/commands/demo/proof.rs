//! Whether what callers presented is anywhere in the store.

use std::path::PathBuf;

use audit_core::event::AuditEvent;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::failure::Failure;
use crate::output::Paint;
use crate::store::StoreAddress;

/// What was searched, and what was found.
pub(super) struct Search {
    n_secrets: usize,
    n_bytes: usize,
    n_files: usize,
    n_found: usize,
}

/// Searches what the store gives back, and the bytes of its files, for every spelling of the secrets.
pub(super) fn search(
    address: &StoreAddress,
    records: &[AuditEvent],
    secrets: &[String],
) -> Result<Search, Failure> {
    let mut haystacks: Vec<Vec<u8>> = records
        .iter()
        .map(|record| record.to_json().into_bytes())
        .collect();
    let files = files_of(address);
    for file in &files {
        let bytes = std::fs::read(file).map_err(|error| {
            Failure::because(format!("{} cannot be searched", file.display()), &error)
        })?;
        haystacks.push(bytes);
    }
    let needles: Vec<Vec<u8>> = secrets
        .iter()
        .flat_map(|secret| spellings(secret))
        .collect();
    let is_in = |haystack: &[u8], needle: &[u8]| memchr::memmem::find(haystack, needle).is_some();
    Ok(Search {
        n_secrets: secrets.len(),
        n_bytes: haystacks.iter().map(Vec::len).sum(),
        n_files: files.len(),
        n_found: haystacks
            .iter()
            .map(|haystack| {
                needles
                    .iter()
                    .filter(|needle| is_in(haystack, needle))
                    .count()
            })
            .sum(),
    })
}

impl Search {
    pub(super) fn is_clean(&self) -> bool {
        self.n_found == 0
    }

    pub(super) fn in_words(&self, paint: Paint) -> String {
        let searched = format!(
            "{} secrets that were sent, in every spelling, in {} bytes of records and {} files of the \
             store",
            self.n_secrets, self.n_bytes, self.n_files
        );
        match self.n_found {
            0 => format!("{} were found of {searched}.\n", paint.good("None")),
            n => format!("{} were found of {searched}.\n", paint.bad(&n.to_string())),
        }
    }
}

fn files_of(address: &StoreAddress) -> Vec<PathBuf> {
    let StoreAddress::Sqlite(config) = address else {
        return Vec::new();
    };
    ["", "-wal", "-shm"]
        .iter()
        .map(|end| {
            let mut path = config.path().as_os_str().to_owned();
            path.push(end);
            PathBuf::from(path)
        })
        .filter(|path| path.exists())
        .collect()
}

/// As it is, in hexadecimal, and in base64 behind zero to two other bytes.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut spellings = vec![
        bytes.to_vec(),
        lower.to_uppercase().into_bytes(),
        lower.into_bytes(),
    ];
    for n_before in 0..3 {
        let coded = STANDARD_NO_PAD.encode([&b"\0\0"[..n_before], bytes].concat());
        // The digits at both ends depend on what stands beside it.
        let begin = [0, 2, 3][n_before];
        let end = coded.len() - usize::from((n_before + bytes.len()) % 3 != 0);
        spellings.push(coded.as_bytes()[begin..end].to_vec());
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = "gw_4f2a9c-secret";
        for n_before in 0..3 {
            for n_behind in 0..3 {
                let text = [&"xyz"[..n_before], secret, &"uvw"[..n_behind]].concat();
                let coded = STANDARD_NO_PAD.encode(&text);
                let is_found =
                    |needle: &Vec<u8>| memchr::memmem::find(coded.as_bytes(), needle).is_some();
                assert!(
                    spellings(secret).iter().any(is_found),
                    "{n_before} {n_behind}"
                );
            }
        }
    }
}
