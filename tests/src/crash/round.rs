use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use audit_core::event::EventId;
use audit_testkit::postgres::TcpProxy;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Failure;
use super::place::Place;
use super::record::Record;
use super::victim;

/// What happens in a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    seed: u64,
    n_loggers: u64,
    /// The victim is killed when its callers have learned so much, or this time is over.
    n_lines: usize,
    time: Duration,
    outage: Option<Outage>,
}

/// How the store goes away, in the middle of a round.
#[derive(Clone, Copy, Debug)]
enum Outage {
    Refused,
    Silent,
}

/// A victim, which does not outlive this value.
struct Victim {
    process: Child,
    lines: mpsc::UnboundedReceiver<io::Result<String>>,
}

/// How many of the events that are in the store by their callers' word are looked for at once.
const LOOKED_FOR: usize = 20;

impl Round {
    pub(super) fn draw(random: &mut StdRng) -> Self {
        // Some are killed while they open, or take over what the one before left.
        let is_short = random.random_range(0..6) == 0;
        let n_lines = random.random_range(1..2_500);
        let time = if is_short {
            Duration::from_micros(random.random_range(0..60_000))
        } else {
            Duration::from_millis(random.random_range(500..4_000))
        };
        let outage = match random.random_range(0..8) {
            0 => Some(Outage::Refused),
            1 => Some(Outage::Silent),
            _ => None,
        };
        Self {
            seed: random.random(),
            n_loggers: random.random_range(1..=2),
            n_lines,
            time,
            outage,
        }
    }

    /// Starts a victim and kills it.
    pub(super) async fn run(
        &self,
        program: &Path,
        place: &Place,
        proxy: Option<&TcpProxy>,
        record: &mut Record,
    ) -> Result<(), Failure> {
        record.n_rounds += 1;
        let mut victim = Victim::start(self.command(program, place))?;
        let end = Instant::now() + self.time;
        let mut stored = Vec::new();
        let mut n_lines = 0;
        while n_lines < self.n_lines {
            if n_lines == self.n_lines / 3 {
                self.begin_outage(proxy).await;
            }
            let Ok(line) = tokio::time::timeout_at(end, victim.lines.recv()).await else {
                break;
            };
            let Some(line) = line.transpose()? else {
                let status = victim.process.wait()?;
                return Err(format!("the victim ended by itself ({status}), see above").into());
            };
            stored.extend(record.take(line.parse()?));
            n_lines += 1;
        }
        victim.process.kill()?;
        record.n_kills += 1;
        // What it had written before.
        while let Some(line) = victim.lines.recv().await.transpose()? {
            stored.extend(record.take(line.parse()?));
        }
        drop(victim);
        if let Some(proxy) = proxy {
            proxy.resume();
            proxy.admit().await?;
        }
        look_for(place, &stored, record).await
    }

    fn command(&self, program: &Path, place: &Place) -> Command {
        let mut command = Command::new(program);
        command
            .arg("victim")
            .arg(place.setting.to_string())
            .arg(&place.folder)
            .arg(self.n_loggers.to_string())
            .arg(self.seed.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if let Some(url) = &place.database_url {
            command.env(victim::DATABASE_URL, url);
        }
        command
    }

    async fn begin_outage(&self, proxy: Option<&TcpProxy>) {
        match (self.outage, proxy) {
            (Some(Outage::Refused), Some(proxy)) => {
                proxy.refuse().await;
                proxy.reset();
            }
            (Some(Outage::Silent), Some(proxy)) => proxy.stall(),
            _ => {}
        }
    }
}

impl Victim {
    fn start(mut command: Command) -> Result<Self, Failure> {
        let mut process = command.spawn().map_err(|error| {
            let program = command.get_program().display();
            format!("the victim {program} cannot be started: {error}")
        })?;
        let output = process.stdout.take().ok_or("the victim has no output")?;
        let (sender, lines) = mpsc::unbounded_channel();
        // It ends with the victim, whose end closes the pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                drop(sender.send(line));
            }
        });
        Ok(Self { process, lines })
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // One that has ended needs no kill, and there is nobody to tell.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What is in the store by a caller's word is there although nobody has recovered anything.
async fn look_for(place: &Place, stored: &[EventId], record: &mut Record) -> Result<(), Failure> {
    if stored.is_empty() {
        return Ok(());
    }
    let reader = place.reader().await?;
    for id in stored.iter().rev().take(LOOKED_FOR) {
        if reader.get(*id).await?.is_none() {
            record.late.push(*id);
        }
    }
    Ok(())
}
