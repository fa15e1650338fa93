use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use maud::{Markup, html};

use super::visit::Visit;

/// In which colors a browser shows the pages. It is no part of what a page shows, so it is kept in a
/// cookie and not in the URL that one person sends another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system of the browser is set.
    #[default]
    Auto,
    Dark,
    Light,
}

const COOKIE: &str = "theme";
const A_YEAR_IN_SECONDS: u32 = 365 * 24 * 3_600;

impl Theme {
    const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The choice that the browser sends along.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let cookies = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let mut chosen = cookies
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE);
        let word = chosen.next().map_or("", |(_, word)| word);
        Self::of_word(word).unwrap_or_default()
    }

    /// The word for the style sheet and the cookie.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
}

/// The buttons that choose.
pub(super) fn choice(visit: &Visit) -> Markup {
    html! {
        form.theme method="post" action="/theme" aria-label="Colors" {
            input type="hidden" name="to" value=(visit.here);
            @for theme in Theme::ALL {
                button name="theme" value=(theme.word()) aria-pressed=(theme == visit.theme) {
                    (theme.word())
                }
            }
        }
    }
}

/// `POST /theme`: keeps the choice, and goes back to the page.
pub(super) async fn choose(_: Visit, body: Bytes) -> Response {
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(&body);
        fields.find(|(of, _)| of == name).map(|(_, value)| value)
    };
    let theme = field("theme").and_then(|word| Theme::of_word(&word));
    let to = field("to").filter(|to| is_of_this_server(to));
    let mut response = Redirect::to(to.as_deref().unwrap_or("/")).into_response();
    let theme = theme.unwrap_or_default().word();
    let cookie = format!(
        "{COOKIE}={theme}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={A_YEAR_IN_SECONDS}"
    );
    // Static text and digits are a header.
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether it is a path: `//host` and `/\host` are other servers to a browser.
fn is_of_this_server(to: &str) -> bool {
    let is_path = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\");
    is_path && to.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_gone_back_to() {
        for path in ["/", "/explore?q=a%20b&at=2026-01-01T00%3A00%3A00Z"] {
            assert!(is_of_this_server(path), "{path}");
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "/\t/evil.example",
            "javascript:alert(1)",
            "/a\r\nset-cookie: x=y",
        ] {
            assert!(!is_of_this_server(other), "{other}");
        }
    }

    #[test]
    fn an_unknown_theme_is_that_of_the_system() {
        let of = |cookies: &'static str| {
            let line = (header::COOKIE, HeaderValue::from_static(cookies));
            Theme::of(&HeaderMap::from_iter([line]))
        };
        assert_eq!(of("a=b; theme=dark"), Theme::Dark);
        assert_eq!(of("theme=light"), Theme::Light);
        assert_eq!(of("theme=\"><script>"), Theme::Auto);
        assert_eq!(of("nothing"), Theme::Auto);
    }
}
