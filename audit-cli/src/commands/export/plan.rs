use audit_core::event::{EventId, Timestamp};
use audit_core::reader::Filter;
use audit_export::{Compression, ExportFormat, ExportRequest};
use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure};
use crate::store::StoreAddress;

/// What an export that may be interrupted is about, beside its file: all that is needed to go on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// The form of this file.
    version: u32,
    store: String,
    /// The user's own words: `--since 24h` means another moment each time.
    asked: String,
    filter: String,
    format: String,
    zstd: bool,
    through: Option<String>,
    /// A file of its name may be replaced.
    replace: bool,
}

const VERSION: u32 = 1;

impl Plan {
    pub(super) fn new(
        store: &StoreAddress,
        asked: &str,
        request: &ExportRequest,
        through: Option<EventId>,
    ) -> Self {
        Self {
            version: VERSION,
            store: store.to_string(),
            asked: asked.to_owned(),
            filter: request.filter().to_string(),
            format: request.format().to_string(),
            zstd: request.is_compressed(),
            through: through.map(|id| id.to_string()),
            replace: false,
        }
    }

    /// Whether a file of its name may be replaced.
    pub(super) fn replacing(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    pub(super) fn replaces(&self) -> bool {
        self.replace
    }

    pub(super) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string(self)
            .map_err(|error| Failure::because("the export cannot be planned", &error))
    }

    pub(super) fn from_json(text: &str) -> Result<Self, Failure> {
        let unusable = || "the plan of the interrupted export cannot be read";
        let plan: Self = serde_json::from_str(text)
            .map_err(|error| Failure::because(unusable(), &error).advice("begin anew: --force"))?;
        match plan.version {
            VERSION => Ok(plan),
            _ => {
                Err(Failure::new(unusable())
                    .advice("another version began it: begin anew, --force"))
            }
        }
    }

    /// Whether it is the export that the user asks for: another one would be mixed into its file.
    pub(super) fn check(&self, store: &StoreAddress, asked: &str) -> Result<(), Failure> {
        if self.store != store.to_string() {
            return refuse(format!(
                "the interrupted export is one of {}, and not of {store}",
                self.store
            ));
        }
        if !asked.is_empty() && self.asked != asked {
            return refuse(format!(
                "the interrupted export was asked for {:?}, and not for {asked:?}",
                self.asked
            ));
        }
        Ok(())
    }

    /// The same of its form, where the user says one.
    pub(super) fn check_form(
        &self,
        format: Option<ExportFormat>,
        is_zipped: bool,
    ) -> Result<(), Failure> {
        if let Some(format) = format.filter(|it| it.as_str() != self.format) {
            return refuse(format!(
                "the interrupted export is one of {}, and not of {format}",
                self.format
            ));
        }
        if is_zipped && !self.zstd {
            return refuse("the interrupted export is not compressed".to_owned());
        }
        Ok(())
    }

    pub(super) fn request(&self) -> Result<ExportRequest, Failure> {
        let unusable = |error: &(dyn std::error::Error + 'static)| {
            Failure::because("the plan of the interrupted export cannot be used", error)
        };
        // What a filter prints is read back without a clock.
        let filter = Filter::parse(&self.filter, Timestamp::MIN);
        let filter = filter.map_err(|error| unusable(&error))?;
        let format = self.format.parse().map_err(|error| unusable(&error))?;
        Ok(
            ExportRequest::new(filter, format).compression(match self.zstd {
                true => Compression::Zstd,
                false => Compression::None,
            }),
        )
    }

    pub(super) fn through(&self) -> Result<Option<EventId>, Failure> {
        let through = self.through.as_deref().map(str::parse).transpose();
        through.map_err(|error: audit_core::event::InvalidField| {
            Failure::because("the plan of the interrupted export cannot be used", &error)
        })
    }
}

fn refuse(what: String) -> Result<(), Failure> {
    Err(Failure::new(what)
        .advice("say the same again, or begin anew: --force")
        .exit(Exit::Usage))
}
