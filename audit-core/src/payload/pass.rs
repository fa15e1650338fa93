//! The one pass: onto the tape, through the rules, out as JSON.

use serde::Serialize;

use super::bounds::Bounds;
use super::cut::floor;
use super::emit::{Emitted, Emitter};
use super::marker::{UNPARSEABLE, WITHHELD};
use super::serializer::{self, Stop};
use super::spans::{Span, merge};
use super::tape::{Admission, Spelling, Tape};
use super::text::{self, Finder};
use super::tokenizer::{Ending, Tokenizer, push_text};
use super::{
    CallerCredential, Coverage, Payload, PayloadContext, PayloadFailure, PayloadLevel,
    PayloadReport, Redaction, credential,
};

/// What came in, apart from its content.
#[derive(Clone, Copy, Debug)]
struct Source<'i> {
    /// The beginning of the JSON itself, if it came as such.
    input: Option<&'i str>,
    /// Bytes that were handed over, or that the value would have taken as JSON.
    bytes: u64,
    /// Bytes that were looked at.
    scanned: usize,
    ending: Ending,
    failure: Option<PayloadFailure>,
    /// The text was written by an earlier pass.
    marks_are_ours: bool,
    explains: bool,
}

pub(super) fn json(
    bytes: &[u8],
    context: &PayloadContext<'_>,
    explains: bool,
) -> (Payload, Vec<Redaction>) {
    let original = context.size(bytes.len());
    if let Some(payload) = by_level(original, context) {
        return (payload, Vec::new());
    }
    tokenize(bytes, original, context, false, explains)
}

pub(super) fn narrow(payload: &Payload, context: &PayloadContext<'_>) -> Payload {
    let before = payload.report();
    if let Some(narrowed) = by_level(before.original_bytes, context) {
        return narrowed;
    }
    let Some(json) = payload.json() else {
        return payload.clone();
    };
    let original = before.original_bytes;
    let (mut narrowed, _) = tokenize(json.as_bytes(), original, context, true, false);
    let report = &mut narrowed.report;
    for (rule, n) in &before.redactions {
        *report.redactions.entry(rule.clone()).or_default() += n;
    }
    report.scanned_bytes = before.scanned_bytes;
    report.truncated |= before.truncated;
    report.replaced_characters += before.replaced_characters;
    report.failure = report.failure.or(before.failure);
    if before.coverage == Coverage::Partial {
        report.coverage = Coverage::Partial;
    }
    narrowed
}

pub(super) fn serialize<T: Serialize + ?Sized>(value: &T, context: &PayloadContext<'_>) -> Payload {
    if let Some(payload) = by_level(context.size(0), context) {
        return payload;
    }
    let limits = context.limits();
    let mut tape = tape(context, limits.bytes, false);
    let (written, scanned) = serializer::write(value, &mut tape, limits.scan_bytes);
    let (ending, failure) = match written {
        Ok(()) => (Ending::Finished, None),
        Err(Stop::Ended(ending)) => (ending, None),
        Err(Stop::Failed) => (Ending::Cut, Some(PayloadFailure::Unserializable)),
        Err(Stop::Panicked) => (Ending::Cut, Some(PayloadFailure::Panicked)),
    };
    let source = Source {
        input: None,
        bytes: context.size(scanned),
        scanned,
        ending,
        failure,
        marks_are_ours: false,
        explains: false,
    };
    finish(tape, source, context).0
}

pub(super) fn text(text: &str, context: &PayloadContext<'_>) -> Payload {
    let original = context.size(text.len());
    if let Some(payload) = by_level(original, context) {
        return payload;
    }
    let scan_bytes = context.limits().scan_bytes;
    let seen = &text[..floor(text, scan_bytes)];
    let mut tape = tape(context, seen.len(), false);
    if tape.admit() == Admission::Enter {
        // What goes on unseen does so whether it was handed over or not.
        let size = usize::try_from(original).unwrap_or(usize::MAX);
        put_string(&mut tape, seen, (0, size), seen.len() == size);
    }
    let source = Source {
        input: None,
        bytes: original,
        scanned: seen.len(),
        ending: Ending::Finished,
        failure: None,
        marks_are_ours: false,
        explains: false,
    };
    finish(tape, source, context).0
}

pub(super) fn headers<N: AsRef<str>, V: AsRef<[u8]>>(
    headers: impl IntoIterator<Item = (N, V)>,
    context: &PayloadContext<'_>,
) -> Payload {
    if let Some(payload) = by_level(context.size(0), context) {
        return payload;
    }
    let scan_bytes = context.limits().scan_bytes;
    let mut tape = tape(context, context.limits().bytes, false);
    let mut at = 0;
    let mut ending = Ending::Finished;
    let _ = tape.admit();
    let _ = tape.open(true, 0);
    for (name, value) in headers {
        let (name, value) = (name.as_ref(), value.as_ref());
        let end = at + name.len() + value.len();
        if end > scan_bytes {
            ending = Ending::Cut;
            break;
        }
        match tape.admit() {
            Admission::Enter => {}
            // Headers that are left out stand together under the mark of the object.
            Admission::Over | Admission::Skip => {
                at = end;
                continue;
            }
            Admission::Stop => {
                ending = Ending::Stopped;
                break;
            }
        }
        let start = tape.arena.len();
        let window = tape.bounds().key_window;
        let whole = push_text(&mut tape, name, window).is_some();
        tape.key(start, (at, at + name.len()), whole, Spelling::Other);
        let value = String::from_utf8_lossy(value);
        let n_replaced = value.matches(char::REPLACEMENT_CHARACTER).count();
        tape.replaced += u32::try_from(n_replaced).unwrap_or(u32::MAX);
        put_string(&mut tape, &value, (at + name.len(), end), true);
        at = end;
    }
    if ending == Ending::Finished {
        tape.close(at);
    }
    let source = Source {
        input: None,
        bytes: context.size(at),
        scanned: at,
        ending,
        failure: None,
        marks_are_ours: false,
        explains: false,
    };
    finish(tape, source, context).0
}

/// The payload of a level that keeps no content.
fn by_level(original: u64, context: &PayloadContext<'_>) -> Option<Payload> {
    let level = context.level();
    let original_bytes = match level {
        PayloadLevel::Full => return None,
        PayloadLevel::Metadata => original,
        PayloadLevel::Off => 0,
    };
    let report = PayloadReport {
        original_bytes,
        level,
        ..PayloadReport::default()
    };
    Some(Payload { json: None, report })
}

fn tokenize(
    bytes: &[u8],
    original: u64,
    context: &PayloadContext<'_>,
    marks_are_ours: bool,
    explains: bool,
) -> (Payload, Vec<Redaction>) {
    let mut tape = tape(context, bytes.len(), marks_are_ours);
    // What an earlier pass wrote was bounded by it.
    let limit = if marks_are_ours {
        bytes.len() + 1
    } else {
        context.limits().scan_bytes
    };
    let mut tokenizer = Tokenizer::new(bytes, limit);
    let ending = tokenizer.run(&mut tape);
    let is_incomplete = ending == Ending::Cut
        && bytes.len() < limit
        && u64::try_from(bytes.len()).is_ok_and(|seen| seen >= original);
    let source = Source {
        input: Some(tokenizer.beginning()),
        bytes: original,
        scanned: tokenizer.position(),
        ending,
        failure: is_incomplete.then_some(PayloadFailure::Incomplete),
        marks_are_ours,
        explains,
    };
    finish(tape, source, context)
}

fn tape<'a>(context: &PayloadContext<'a>, bytes: usize, marks_are_ours: bool) -> Tape<'a> {
    let bounds = Bounds::new(&context.limits());
    Tape::new(context.policy.rules(), bounds, marks_are_ours).with_room(bytes)
}

fn put_string(tape: &mut Tape<'_>, text: &str, raw: (usize, usize), is_all: bool) {
    let start = tape.arena.len();
    let window = tape.bounds().string_window;
    let whole = push_text(tape, text, window).is_some() && is_all;
    tape.string(start, raw, whole, Spelling::Other);
}

/// Redacts and writes what is on the tape.
fn finish<'a>(
    mut tape: Tape<'a>,
    source: Source<'_>,
    context: &PayloadContext<'a>,
) -> (Payload, Vec<Redaction>) {
    tape.finish();
    if source.ending == Ending::Malformed || tape.nodes.is_empty() {
        let failure = source
            .failure
            .filter(|failure| *failure != PayloadFailure::Incomplete);
        let failure = failure.unwrap_or(PayloadFailure::Unparseable);
        let json = format!("\"{UNPARSEABLE}:{}]\"", source.bytes);
        return (without_content(&json, failure, &source), Vec::new());
    }
    let rules = context.policy.rules();
    let mut finder = Finder::new(rules, context.credentials, source.marks_are_ours);
    // Room that was made is used again.
    finder.keys = std::mem::take(&mut tape.keys);
    let mut findings = finder.page(&tape.arena);
    cut_credentials(&tape, context.credentials, &mut findings.spans);
    merge(&mut findings.spans);
    // What poses as a mark is not kept as it stands; nor is any of the members whose key something
    // was found in.
    let is_kept = findings.posing.is_empty() && !tape.is_in_known_key(&findings.spans);
    let input = source.input.filter(|_| is_kept);
    for (start, end) in findings.posing {
        tape.arena[start..end].make_ascii_lowercase();
    }
    let is_finished = source.ending == Ending::Finished;
    let emitter = Emitter::new(
        &tape,
        &findings.spans,
        rules,
        context.credentials,
        context.limits(),
    )
    .spelled_by(input)
    .finished(is_finished)
    .explaining(source.explains);
    let as_it_stands = emitter.as_it_stands();
    let emitted = match as_it_stands {
        Some(_) => Emitted::default(),
        None => emitter.run(),
    };
    let json = as_it_stands.unwrap_or(&emitted.json);
    if holds_credential(json, &emitted.marks, context.credentials) {
        let json = format!("\"{WITHHELD}\"");
        return (
            without_content(&json, PayloadFailure::Withheld, &source),
            Vec::new(),
        );
    }
    let mut report = report(&source);
    report.truncated |= emitted.truncated || !is_finished;
    report.replaced_characters = tape.replaced;
    if is_finished && !tape.is_partial && !emitted.truncated && source.scanned_all() {
        report.coverage = Coverage::Full;
    }
    for rule in &emitted.applied {
        match report.redactions.get_mut(*rule) {
            Some(n) => *n += 1,
            None => drop(report.redactions.insert((*rule).into(), 1)),
        }
    }
    let payload = Payload {
        json: Some(json.into()),
        report,
    };
    (payload, emitted.notes)
}

impl Source<'_> {
    fn scanned_all(&self) -> bool {
        self.marks_are_ours || u64::try_from(self.scanned).is_ok_and(|seen| seen >= self.bytes)
    }
}

fn report(source: &Source<'_>) -> PayloadReport {
    PayloadReport {
        original_bytes: source.bytes,
        scanned_bytes: u64::try_from(source.scanned).unwrap_or(u64::MAX),
        failure: source.failure,
        ..PayloadReport::default()
    }
}

fn without_content(json: &str, failure: PayloadFailure, source: &Source<'_>) -> Payload {
    let report = PayloadReport {
        truncated: true,
        failure: Some(failure),
        ..report(source)
    };
    Payload {
        json: Some(json.into()),
        report,
    }
}

/// A credential may begin at the end of a text that goes on unseen.
fn cut_credentials<'p>(
    tape: &Tape<'p>,
    credentials: &[CallerCredential],
    spans: &mut Vec<Span<'p>>,
) {
    if credentials.is_empty() {
        return;
    }
    for node in tape
        .nodes
        .iter()
        .filter(|node| node.has_text() && !node.whole)
    {
        let text = &tape.arena.as_bytes()[node.text.start()..node.text.end()];
        let beginnings = text::Beginnings::of(text);
        for credential in credentials {
            if let Some(start) = beginnings.of_credential(credential) {
                spans.push(Span::new(
                    node.text.start() + start,
                    node.text.end(),
                    credential::RULE,
                ));
            }
        }
    }
}

/// The last look, at the very bytes that would be kept: a credential may also come together from
/// the signs of JSON. What stands in a mark was written here.
fn holds_credential(
    json: &str,
    marks: &[(usize, usize)],
    credentials: &[CallerCredential],
) -> bool {
    let is_in_mark = |span: &Span<'_>| {
        marks
            .iter()
            .any(|&(start, end)| start <= span.start && span.end <= end)
    };
    credentials
        .iter()
        .flat_map(|credential| credential.find_in(json.as_bytes()))
        .any(|span| !is_in_mark(&span))
}
