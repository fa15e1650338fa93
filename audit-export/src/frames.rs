use audit_core::{Error, ErrorKind};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// Text in frames of Zstandard, each of whole rows.
pub(crate) struct Frames {
    compressor: Compressor<'static>,
    /// What the open frame holds.
    text: Vec<u8>,
}

/// A frame is closed by the row that fills it. Where frames end depends on the rows alone.
const FRAME_BYTES: usize = 1 << 20;
/// What zstd itself takes by default.
const LEVEL: i32 = 3;

impl Frames {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut compressor = Compressor::new(LEVEL).map_err(failed)?;
        compressor
            .set_parameter(CParameter::ChecksumFlag(true))
            .map_err(failed)?;
        Ok(Self {
            compressor,
            text: Vec::new(),
        })
    }

    /// Takes a whole row, and gives the frame that it fills.
    pub(crate) fn push(&mut self, row: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.text.extend_from_slice(row);
        match self.text.len() >= FRAME_BYTES {
            true => self.close(out),
            false => Ok(()),
        }
    }

    /// Gives what is left as the last frame.
    pub(crate) fn close(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if !self.text.is_empty() {
            out.append(&mut self.compressor.compress(&self.text).map_err(failed)?);
            self.text.clear();
        }
        Ok(())
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::with_source(
        ErrorKind::Internal,
        "the export cannot be compressed",
        error,
    )
}
