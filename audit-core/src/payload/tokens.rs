//! Tokens of well-known services: a literal beginning and a body that follows it.
//!
//! Bodies are open upward, so that a longer format of tomorrow is still taken whole. A token is
//! long and without a gap, so only long words are looked through, and most texts have none.

use std::sync::LazyLock;

use super::spans::Span;
use super::words::{self, Word};

/// What the body of a token is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// `[0-9A-Za-z]`
    Alphanumeric,
    /// `[A-Z2-7]`, and digits that look like them.
    Base32,
    /// `[0-9a-f]`
    Hex,
    /// `[0-9A-Za-z_-]`
    Word,
    /// `[0-9A-Za-z_.=+/-]`: all of the above.
    Wide,
}

impl Body {
    pub(super) const fn has(self, b: u8) -> bool {
        match self {
            Self::Alphanumeric => b.is_ascii_alphanumeric(),
            Self::Base32 => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Self::Hex => b.is_ascii_hexdigit(),
            Self::Word => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'),
            Self::Wide => {
                b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'=' | b'+' | b'/')
            }
        }
    }

    /// How many bytes `text` begins with that belong to the body.
    pub(super) fn run(self, text: &[u8]) -> usize {
        text.iter().take_while(|&&b| self.has(b)).count()
    }
}

/// One kind of token: rule, literal beginnings, body, fewest characters of the body.
struct Token(&'static str, &'static [&'static str], Body, usize);

const TOKENS: &[Token] = &[
    Token(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        Body::Word,
        36,
    ),
    Token("github_token", &["github_pat_"], Body::Word, 22),
    Token(
        "gitlab_token",
        &[
            "glpat-",
            "gldt-",
            "glrt-",
            "glptt-",
            "glft-",
            "gloas-",
            "glcbt-",
            "glsoat-",
            "glagent-",
            "glimt-",
            "GR1348941",
        ],
        Body::Wide,
        20,
    ),
    Token(
        "aws_key",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        Body::Base32,
        16,
    ),
    Token("aws_key", &["ABSK"], Body::Wide, 109),
    Token("google_key", &["AIza"], Body::Word, 35),
    Token("google_key", &["ya29."], Body::Word, 20),
    Token("google_key", &["GOCSPX-"], Body::Word, 20),
    Token("anthropic_key", &["sk-ant-"], Body::Word, 20),
    Token(
        "openai_key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-v1-"],
        Body::Word,
        20,
    ),
    Token("openai_key", &["sk-"], Body::Alphanumeric, 32),
    Token(
        "slack_token",
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-",
        ],
        Body::Wide,
        20,
    ),
    Token(
        "slack_webhook",
        &["hooks.slack.com/services/"],
        Body::Wide,
        20,
    ),
    Token(
        "stripe_key",
        &["sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"],
        Body::Wide,
        16,
    ),
    Token("npm_token", &["npm_"], Body::Alphanumeric, 36),
    Token("pypi_token", &["pypi-AgEI"], Body::Word, 50),
    Token("huggingface_token", &["hf_"], Body::Alphanumeric, 34),
    Token(
        "digitalocean_token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        Body::Hex,
        64,
    ),
    Token(
        "grafana_token",
        &["glsa_", "glc_", "eyJrIjoi"],
        Body::Wide,
        32,
    ),
    Token("vault_token", &["hvs.", "hvb."], Body::Word, 24),
    Token("databricks_token", &["dapi"], Body::Hex, 32),
    Token(
        "shopify_token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        Body::Alphanumeric,
        32,
    ),
    Token("sendgrid_key", &["SG."], Body::Wide, 66),
    Token("square_token", &["sq0atp-", "sq0csp-"], Body::Word, 22),
    Token("linear_key", &["lin_api_"], Body::Alphanumeric, 40),
    Token("notion_token", &["ntn_"], Body::Alphanumeric, 40),
    Token("postman_key", &["PMAK-"], Body::Word, 59),
    Token("pulumi_token", &["pul-"], Body::Hex, 40),
    Token("perplexity_key", &["pplx-"], Body::Alphanumeric, 40),
    Token("readme_key", &["rdme_"], Body::Alphanumeric, 70),
    Token("sentry_token", &["sntrys_", "sntryu_"], Body::Wide, 40),
    Token("age_key", &["AGE-SECRET-KEY-1"], Body::Base32, 58),
    Token("alibaba_key", &["LTAI"], Body::Alphanumeric, 20),
    Token("tailscale_key", &["tskey-"], Body::Word, 20),
    Token("vercel_token", &["vercel_"], Body::Alphanumeric, 24),
    Token("posthog_key", &["phx_"], Body::Alphanumeric, 40),
];

/// Calls `found` for each token in the long `words` of `page`, wherever in a word it begins.
pub(super) fn find_in(page: &[u8], words: &[Word], mut found: impl FnMut(Span<'static>)) {
    let beginnings = &*BEGINNINGS;
    for &Word { start, end } in words {
        let last = end + 1 - words::SHORTEST;
        for at in start..last {
            let Some(first) = page[at..].first_chunk() else {
                break;
            };
            if !beginnings.may_begin(*first) {
                continue;
            }
            for (beginning, token) in &beginnings.literals[usize::from(first[0])] {
                let Token(rule, _, body, fewest) = token;
                if let Some(rest) = page[at..end].strip_prefix(*beginning)
                    && let n = body.run(rest)
                    && n >= *fewest
                {
                    found(Span::new(at, at + beginning.len() + n, rule));
                }
            }
        }
    }
}

/// The beginnings of all tokens.
struct Beginnings {
    /// By the number that their first three characters make.
    bits: [u64; 64],
    /// What may begin with each byte.
    literals: Vec<Vec<(&'static [u8], &'static Token)>>,
}

static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let mut bits = [0; 64];
    let mut literals = vec![Vec::new(); 256];
    for token in TOKENS {
        for beginning in token.1 {
            let beginning = beginning.as_bytes();
            if let Some(first) = beginning.first_chunk() {
                let (at, bit) = Beginnings::place(*first);
                bits[at] |= bit;
                literals[usize::from(first[0])].push((beginning, token));
            }
        }
    }
    Beginnings { bits, literals }
});

impl Beginnings {
    /// Whether a token may begin so: certain only if not.
    fn may_begin(&self, first: [u8; 3]) -> bool {
        let (at, bit) = Self::place(first);
        self.bits[at] & bit != 0
    }

    fn place([a, b, c]: [u8; 3]) -> (usize, u64) {
        let mixed = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1) >> 20;
        ((mixed / 64) as usize, 1 << (mixed % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_a_long_word() {
        for Token(rule, beginnings, _, fewest) in TOKENS {
            for beginning in *beginnings {
                assert!(beginning.len() >= 3, "{rule} {beginning}");
                assert!(
                    beginning.len() + fewest >= words::SHORTEST,
                    "{rule} {beginning}"
                );
                assert!(
                    beginning.bytes().all(|b| Body::Wide.has(b)),
                    "{rule} {beginning}"
                );
            }
        }
        for body in [Body::Alphanumeric, Body::Base32, Body::Hex, Body::Word] {
            assert!(
                (0..=u8::MAX).all(|b| !body.has(b) || Body::Wide.has(b)),
                "{body:?}"
            );
        }
    }

    #[test]
    fn every_token_is_found_wherever_in_a_word_it_begins() {
        for Token(rule, beginnings, body, fewest) in TOKENS {
            let body = if matches!(body, Body::Base32) {
                "A"
            } else {
                "a"
            }
            .repeat(*fewest);
            for beginning in *beginnings {
                for before in 0..40 {
                    let page = format!(
                        "{} {}{beginning}{body} b",
                        "a".repeat(30),
                        ".".repeat(before)
                    );
                    let mut long_words = Vec::new();
                    words::find_in(page.as_bytes(), &mut long_words);
                    let mut spans = Vec::new();
                    find_in(page.as_bytes(), &long_words, |span| spans.push(span));
                    let start = 31 + before;
                    let span = Span::new(start, page.len() - 2, rule);
                    assert!(spans.contains(&span), "{page} {spans:?}");
                }
            }
        }
    }
}
