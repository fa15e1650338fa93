use maud::{Markup, html};

/// What a filter can say; the whole grammar stands in the docs of `Filter::parse`.
pub(super) fn of_filters() -> Markup {
    let terms = [
        (
            "key:k_bot tool:delete_* role: method: session: upstream: client: address: writer:",
            "that text; * is any run of characters, none: it is not there",
        ),
        ("outcome:denied,rate_limited", "one of these outcomes"),
        (
            "auth: authz: rate:",
            "what a check said: allowed, denied, skipped, error",
        ),
        (
            "status:>=500 latency:>250ms",
            "a number or a range: 400..499, 1s..5s",
        ),
        (
            "since:24h until:1h",
            "the range of time from one to the other",
        ),
        ("time:2026-03-01..2026-03-02", "a range of moments, in UTC"),
        ("id: trace: span: request:", "a whole identifier"),
        ("redacted:yes", "something was taken away by a rule"),
        ("word \"some words\"", "some text of the event contains it"),
    ];
    html! {
        details.help #q-help {
            summary { "What a filter can say" }
            p {
                "Terms about different fields have to hold together; of terms about one field, or of \
                 values between commas, one is enough. A " code { "-" } " before a term excludes, and "
                code { "&" } " stands between two filters that both have to hold. Values with blanks \
                 stand in quotes."
            }
            dl.facts {
                @for (term, meaning) in terms { dt { code { (term) } } dd { (meaning) } }
            }
        }
    }
}
