use std::{fmt, io, str};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A message of the Postgres protocol, on its way through a proxy.
pub struct Message {
    /// As it is on the wire: type, length, payload.
    bytes: Vec<u8>,
}

const HEADER: usize = 5;

impl Message {
    /// The byte that tells its type: `Q` is a query, `S` (of a client) a sync, `C` (of a server)
    /// the completion of a command.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }

    /// What follows its length.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The texts at the payload's beginning, each of which ends with a zero.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.payload()
            .split(|&byte| byte == 0)
            .map(|text| str::from_utf8(text).unwrap_or_default())
    }

    /// The next one, or `None` at the end of the stream.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut bytes = vec![0; HEADER];
        if stream.read(&mut bytes[..1]).await? == 0 {
            return Ok(None);
        }
        stream.read_exact(&mut bytes[1..]).await?;
        read_rest(stream, &mut bytes, 1).await?;
        Ok(Some(Self { bytes }))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &char::from(self.kind()))
            .field("payload", &self.payload().escape_ascii().to_string())
            .finish()
    }
}

/// The first message of a client, which has no type. It says what the client wants.
pub(super) struct Opening {
    pub(super) bytes: Vec<u8>,
}

impl Opening {
    /// Whether it asks for encryption, by TLS or GSSAPI.
    pub(super) fn asks_for_encryption(&self) -> bool {
        const TLS: u32 = 80_877_103;
        const GSSAPI: u32 = 80_877_104;
        let code = self.bytes.get(4..8).and_then(|code| code.try_into().ok());
        code.map(u32::from_be_bytes)
            .is_some_and(|code| code == TLS || code == GSSAPI)
    }

    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut bytes = vec![0; 4];
        stream.read_exact(&mut bytes).await?;
        read_rest(stream, &mut bytes, 0).await?;
        Ok(Self { bytes })
    }
}

/// Reads on by the length that stands at an offset, and counts itself.
async fn read_rest(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
    offset: usize,
) -> io::Result<()> {
    let no_length = || io::Error::new(io::ErrorKind::InvalidData, "a message without a length");
    let length = bytes[offset..].try_into().map_err(|_| no_length())?;
    let end = usize::try_from(u32::from_be_bytes(length))
        .ok()
        .filter(|&length| length >= 4)
        .ok_or_else(no_length)?
        + offset;
    let begin = bytes.len();
    bytes.resize(end, 0);
    stream.read_exact(&mut bytes[begin..]).await?;
    Ok(())
}
