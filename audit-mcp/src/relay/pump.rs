use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, MutexGuard};

use super::Relay;
use crate::conversation::{Passage, Side};
use crate::scan::Scanner;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// One direction.
pub(super) struct Pump<'a, R, W, B> {
    relay: &'a Relay,
    sender: Side,
    from: R,
    to: Out<'a, W>,
    /// The other way, for what the sender is told instead.
    back: &'a Mutex<B>,
    line: Line,
    /// How much of a payload is looked at.
    keep: usize,
}

/// Why a direction ended.
#[derive(Debug)]
pub(super) enum End {
    /// The sender cannot be written to.
    Back(io::Error),
    /// The sender cannot be read from.
    From(io::Error),
    /// The sender has no more to say.
    Said,
    /// The receiver cannot be written to.
    To(io::Error),
}

impl End {
    pub(super) fn error(self) -> Option<io::Error> {
        match self {
            Self::Back(error) | Self::From(error) | Self::To(error) => Some(error),
            Self::Said => None,
        }
    }
}

/// The line that is going by.
struct Line {
    /// All of it, as far as it fits the window.
    held: Vec<u8>,
    /// How much of that was handed on.
    passed: usize,
    /// Finds out, while the line is not complete, whether it is an answer.
    early: Scanner,
    /// How much of `held` that has seen; `None` once it has seen the end of a message.
    seen: Option<usize>,
    over: Option<Over>,
}

/// What is known of a line that is longer than the window.
struct Over {
    scanner: Scanner,
    beginning: Vec<u8>,
    is_message: bool,
    /// Bytes that come once more and were handed on before.
    again: usize,
    /// What the sender is told, once the line has ended. Nothing more of it is handed on.
    refusals: Vec<String>,
}

impl Line {
    fn new() -> Self {
        Self {
            held: Vec::new(),
            passed: 0,
            early: Scanner::new(0),
            seen: Some(0),
            over: None,
        }
    }

    fn clear(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.clear();
        // One long line costs no memory for ever.
        held.shrink_to(CHUNK);
        *self = Self::new();
        self.held = held;
    }
}

impl<'a, R, W, B> Pump<'a, R, W, B>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
    B: AsyncWrite + Unpin + Send,
{
    pub(super) fn new(
        relay: &'a Relay,
        sender: Side,
        from: R,
        to: &'a Mutex<W>,
        back: &'a Mutex<B>,
    ) -> Self {
        Self {
            relay,
            sender,
            from,
            to: Out {
                writer: to,
                guard: None,
            },
            back,
            line: Line::new(),
            keep: relay.conversation.keep(),
        }
    }

    pub(super) async fn run(mut self) -> End {
        match self.hand_on().await {
            Ok(()) => End::Said,
            Err(end) => end,
        }
    }

    async fn hand_on(&mut self) -> Result<(), End> {
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            chunk.clear();
            let n_bytes = self.from.read_buf(&mut chunk).await.map_err(End::From)?;
            if n_bytes == 0 {
                return self.end_line(&[]).await;
            }
            for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
                match piece.strip_suffix(b"\n") {
                    Some(piece) => {
                        self.take(piece).await?;
                        self.end_line(b"\n").await?;
                    }
                    None => {
                        self.take(piece).await?;
                        self.pass_answer().await?;
                        self.to.flush().await?;
                    }
                }
            }
        }
    }

    /// A part of a line, without its end.
    async fn take(&mut self, piece: &[u8]) -> Result<(), End> {
        if self.line.over.is_none() {
            if self.line.held.len() + piece.len() <= self.relay.window {
                self.line.held.extend_from_slice(piece);
                return Ok(());
            }
            self.overflow().await?;
        }
        self.stream(piece).await
    }

    /// Hands on what is held of a line, if an answer is going by: nothing has to be known before.
    async fn pass_answer(&mut self) -> Result<(), End> {
        let line = &mut self.line;
        let Some(seen) = line.seen.filter(|_| line.over.is_none()) else {
            return Ok(());
        };
        let (_, found) = line.early.feed(&line.held[seen..]);
        if found.is_some() {
            // What ends a message stays until the line is complete: it may be one too many.
            line.seen = None;
            return Ok(());
        }
        line.seen = Some(line.held.len());
        if line.early.is_in_answer() {
            self.to.write(&line.held[line.passed..]).await?;
            line.passed = line.held.len();
        }
        Ok(())
    }

    /// The line is longer than the window: from here on it goes by.
    async fn overflow(&mut self) -> Result<(), End> {
        let held = std::mem::take(&mut self.line.held);
        self.line.over = Some(Over {
            scanner: Scanner::new(self.keep),
            beginning: Vec::new(),
            is_message: false,
            again: self.line.passed,
            refusals: Vec::new(),
        });
        self.stream(&held).await
    }

    async fn stream(&mut self, mut piece: &[u8]) -> Result<(), End> {
        while let Some(over) = &mut self.line.over
            && !piece.is_empty()
        {
            let (n_bytes, found) = over.scanner.feed(piece);
            if !over.is_message {
                let room = self.keep - over.beginning.len();
                let n_kept = std::cmp::min(room, n_bytes);
                over.beginning.extend_from_slice(&piece[..n_kept]);
            }
            let (mut now, later) = piece.split_at(n_bytes);
            if let Some(found) = found {
                over.is_message = true;
                // The bracket that makes it a message waits for the record.
                let (before, bracket) = now.split_at(n_bytes - 1);
                Self::write_over(&mut self.to, over, before).await?;
                now = bracket;
                let origin = self.relay.origin(self.sender);
                let conversation = &self.relay.conversation;
                match conversation.pass_found(self.sender, &found, origin).await {
                    Passage::Forward => {}
                    Passage::Refuse(answer) => over.refusals.push(answer),
                }
            }
            Self::write_over(&mut self.to, over, now).await?;
            piece = later;
        }
        Ok(())
    }

    async fn write_over(to: &mut Out<'a, W>, over: &mut Over, piece: &[u8]) -> Result<(), End> {
        let n_again = std::cmp::min(over.again, piece.len());
        over.again -= n_again;
        // A line that breaks off is no message to anybody.
        if !over.refusals.is_empty() {
            return Ok(());
        }
        to.write(&piece[n_again..]).await
    }

    /// The line is complete.
    async fn end_line(&mut self, end: &[u8]) -> Result<(), End> {
        let origin = self.relay.origin(self.sender);
        let conversation = &self.relay.conversation;
        let line = &mut self.line;
        let mut refusals = Vec::new();
        if let Some(over) = line.over.take() {
            refusals = over.refusals;
            if !over.is_message && !over.beginning.trim_ascii().is_empty() {
                let passage = conversation.pass_noise(self.sender, &over.beginning, origin);
                if let Passage::Refuse(answer) = passage.await {
                    refusals.push(answer);
                }
            }
            self.to.write(end).await?;
        } else if !line.held.is_empty() || !end.is_empty() {
            match conversation.pass(self.sender, &line.held, origin).await {
                Passage::Forward => {
                    line.held.extend_from_slice(end);
                    self.to.write(&line.held[line.passed..]).await?;
                }
                Passage::Refuse(answer) => {
                    refusals.push(answer);
                    if line.passed > 0 {
                        self.to.write(end).await?;
                    }
                }
            }
        }
        self.to.end().await?;
        self.line.clear();
        tell(self.back, &refusals).await.map_err(End::Back)
    }
}

async fn tell<B>(back: &Mutex<B>, refusals: &[String]) -> io::Result<()>
where
    B: AsyncWrite + Unpin + Send,
{
    if refusals.is_empty() {
        return Ok(());
    }
    // Nothing is held of the other way: its writer may wait for ours.
    let mut back = back.lock().await;
    for refusal in refusals {
        back.write_all(refusal.as_bytes()).await?;
        back.write_all(b"\n").await?;
    }
    back.flush().await
}

/// A writer of which lines come out whole, although two write to it: who has begun a line keeps it
/// until its end.
struct Out<'a, W> {
    writer: &'a Mutex<W>,
    guard: Option<MutexGuard<'a, W>>,
}

impl<W: AsyncWrite + Unpin> Out<'_, W> {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        if bytes.is_empty() {
            return Ok(());
        }
        let guard = match &mut self.guard {
            Some(guard) => guard,
            none => none.insert(self.writer.lock().await),
        };
        guard.write_all(bytes).await.map_err(End::To)
    }

    async fn flush(&mut self) -> Result<(), End> {
        match &mut self.guard {
            Some(guard) => guard.flush().await.map_err(End::To),
            None => Ok(()),
        }
    }

    /// The line has ended.
    async fn end(&mut self) -> Result<(), End> {
        self.flush().await?;
        self.guard = None;
        Ok(())
    }
}
