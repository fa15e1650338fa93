//! Pages taken apart by the tokenizer of the HTML standard.

use std::collections::{BTreeMap, BTreeSet};

use html5gum::{Error, Token, Tokenizer};

/// A page that is well-formed, and holds nothing that a browser would have to refuse.
#[derive(Debug)]
pub(crate) struct Page {
    elements: Vec<Element>,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// All text in it.
    pub(crate) text: String,
    /// The names and classes of the elements around it.
    around: Vec<(String, String)>,
}

/// Elements that have no end.
const VOID: [&str; 4] = ["input", "link", "meta", "!"];

/// Everything that the dashboard writes: what else is there came from somebody else.
const KNOWN: &[&str] = &[
    "a",
    "article",
    "aside",
    "b",
    "bdi",
    "body",
    "button",
    "caption",
    "code",
    "dd",
    "defs",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "form",
    "h1",
    "h2",
    "head",
    "header",
    "html",
    "i",
    "input",
    "kbd",
    "label",
    "li",
    "link",
    "main",
    "mark",
    "meta",
    "nav",
    "noscript",
    "ol",
    "option",
    "p",
    "pattern",
    "pre",
    "q",
    "rect",
    "script",
    "section",
    "select",
    "small",
    "span",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
];

impl Page {
    /// Takes a page apart.
    ///
    /// # Panics
    /// It is not well-formed, or holds what no page of the dashboard has.
    pub(crate) fn checked(html: &str) -> Self {
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for token in Tokenizer::new(html) {
            match token.unwrap() {
                Token::StartTag(tag) => {
                    let name = String::from_utf8(tag.name.to_vec()).unwrap();
                    assert!(!tag.self_closing, "<{name}/>");
                    let attributes = tag.attributes.iter().map(|(name, value)| {
                        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                        (text(name), text(value))
                    });
                    let around = open.iter().map(|at| {
                        let class = elements[*at].attribute("class").to_owned();
                        (elements[*at].name.clone(), class)
                    });
                    let around = around.collect();
                    let is_void = VOID.contains(&name.as_str());
                    elements.push(Element {
                        name,
                        attributes: attributes.collect(),
                        text: String::new(),
                        around,
                    });
                    if !is_void {
                        open.push(elements.len() - 1);
                    }
                }
                Token::EndTag(tag) => {
                    let name = String::from_utf8(tag.name.to_vec()).unwrap();
                    let opened = open.pop().map(|at| elements[at].name.as_str());
                    assert_eq!(opened, Some(name.as_str()), "</{name}>");
                }
                Token::String(text) => {
                    let text = std::str::from_utf8(&text).unwrap();
                    let shown = audit_core::visible(text);
                    assert_eq!(text, shown, "text that moves, hides or reorders");
                    for at in &open {
                        elements[*at].text.push_str(text);
                    }
                }
                Token::Comment(text) => panic!("a comment: {text:?}"),
                Token::Doctype(_) => {}
                // In the box stands what was typed; in text they are shown as their codes.
                Token::Error(error)
                    if matches!(
                        error.value,
                        Error::ControlCharacterInInputStream | Error::NoncharacterInInputStream
                    ) => {}
                Token::Error(error) => panic!("{error:?} in {html}"),
            }
        }
        assert!(open.is_empty(), "elements without an end");
        let page = Self { elements };
        page.check_elements();
        page.check_references();
        page
    }

    /// The elements of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |it| it.name == name)
    }

    /// The only element of this id.
    pub(crate) fn by_id(&self, id: &str) -> &Element {
        let mut found = self.elements.iter().filter(|it| it.attribute("id") == id);
        found.next().unwrap_or_else(|| panic!("no #{id}"))
    }

    /// The text of the page.
    pub(crate) fn text(&self) -> &str {
        &self.all("main").next().unwrap().text
    }

    fn check_elements(&self) {
        for Element {
            name, attributes, ..
        } in &self.elements
        {
            assert!(KNOWN.contains(&name.as_str()), "<{name}>");
            for (attribute, value) in attributes {
                let is_inline = attribute == "style" || attribute.starts_with("on");
                assert!(!is_inline, "<{name} {attribute}={value:?}>");
                if matches!(&**attribute, "href" | "src" | "action" | "data-stream") {
                    let is_own = value.starts_with('/') && !value.starts_with("//");
                    assert!(is_own || value == "#main", "<{name} {attribute}={value:?}>");
                    assert!(
                        value.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{value:?}"
                    );
                }
            }
        }
    }

    fn check_references(&self) {
        let ids: Vec<_> = self.elements.iter().map(|it| it.attribute("id")).collect();
        let ids: Vec<_> = ids.into_iter().filter(|id| !id.is_empty()).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "ids that come twice: {ids:?}");
        for element in &self.elements {
            for reference in ["for", "aria-describedby", "aria-labelledby"] {
                let id = element.attribute(reference);
                assert!(id.is_empty() || ids.contains(&id), "{reference}={id}");
            }
        }
        for input in self
            .all("input")
            .filter(|it| it.attribute("type") != "hidden")
        {
            let id = input.attribute("id");
            let mut labels = self.all("label");
            assert!(
                labels.any(|label| label.attribute("for") == id),
                "{input:?}"
            );
        }
        for table in self.all("table") {
            assert!(
                table.is_within("div", "scroll"),
                "a table that scrolls the page"
            );
        }
        assert_eq!(self.all("table").count(), self.all("caption").count());
        assert!(self.all("th").all(|it| !it.attribute("scope").is_empty()));
        assert_eq!(self.all("h1").count(), 1);
        assert_eq!(self.all("main").count(), 1);
    }
}

impl Element {
    /// The value of an attribute, empty where there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Whether an element of this name and class is around it.
    pub(crate) fn is_within(&self, name: &str, class: &str) -> bool {
        let mut around = self.around.iter();
        around.any(|(of, classes)| of == name && classes.split(' ').any(|it| it == class))
    }

    /// The query of where a link leads.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        let (_, query) = self.attribute("href").split_once('?').unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect()
    }
}
