//! What a person does with messages that were given up: looks at them, has them handled again, or throws them away.
//!
//! A service does it with its own queue and its own handler, by a subcommand of its binary: nobody else has the right, and a message
//! that is replayed takes the way that it would have taken. What is looked at goes back where it was with the connection.

use clap::{FromArgMatches as _, Subcommand as _};
use ecommerce_contract::{Envelope, Service, topology};
use lapin::BasicProperties;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::{AMQPValue, FieldTable};
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::connection::Session;
use crate::consumer::{Consumer, Failure, Handle};

/// Dead letters.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// List the messages that were given up, the oldest first.
    List,
    /// Show one whole.
    Show {
        /// As the list names it.
        id: String,
    },
    /// Handle messages again, as if they had just come; those that work are gone.
    Replay(Which),
    /// Throw messages away.
    Discard(Which),
}

/// Which of them.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// As the list names them.
    ids: Vec<String>,
    /// All that are there.
    #[arg(long)]
    all: bool,
}

/// The command line of the tool, for a service with these settings.
#[must_use]
pub fn arguments<Config: clap::Args>(command: clap::Command) -> clap::Command {
    let command = command.about("Look at the messages that were given up, handle them again, or throw them away");
    Command::augment_subcommands(Config::augment_args(command)).subcommand_required(true)
}

/// What the command line says.
pub fn settings<Config: clap::FromArgMatches>(matches: &clap::ArgMatches) -> Result<(Config, Command), clap::Error> {
    Ok((Config::from_arg_matches(matches)?, Command::from_arg_matches(matches)?))
}

/// A message that was given up.
struct Letter {
    id: String,
    message: BasicGetMessage,
}

/// Does what a person wants done with the dead letters of a consumer's service; answers what there is to read.
///
/// # Errors
/// When the broker cannot be asked, or has no letter of the name.
pub async fn run<H: Handle>(command: &Command, consumer: &Consumer<H>) -> Result<String, Error> {
    let session = consumer.connections.open("dead letters").await?;
    let letters = Letters { session: &session, service: consumer.service };
    let done = match command {
        Command::List => list(&letters).await,
        Command::Show { id } => show(&letters, id).await,
        Command::Replay(which) => {
            each(&letters, which, async |letter| match replay(&letter, consumer).await {
                Ok(()) => {
                    acknowledge(&letter).await?;
                    Ok(Acted { is_gone: true, said: format!("{} was handled", letter.id) })
                }
                Err(reason) => Ok(Acted { is_gone: false, said: format!("{} stays: {reason}", letter.id) }),
            })
            .await
        }
        Command::Discard(which) => {
            each(&letters, which, async |letter| {
                acknowledge(&letter).await?;
                Ok(Acted { is_gone: true, said: format!("{} is gone", line(&letter)) })
            })
            .await
        }
    };
    session.close().await;
    done
}

/// The dead letters of a service, the oldest first. What was read does not come again in the same session.
struct Letters<'s> {
    session: &'s Session,
    service: Service,
}

impl Letters<'_> {
    async fn next(&self) -> Result<Option<Letter>, Error> {
        let queue = topology::dead_letter_queue(self.service);
        let message = self.session.channel.basic_get(queue.into(), BasicGetOptions::default()).await?;
        Ok(message.map(|message| Letter { id: id(&message.data, &message.properties), message }))
    }
}

async fn list(letters: &Letters<'_>) -> Result<String, Error> {
    let mut said = Vec::new();
    while let Some(letter) = letters.next().await? {
        said.push(line(&letter));
    }
    said.push(format!("{} dead letters of {}", said.len(), letters.service));
    Ok(said.join("\n"))
}

async fn show(letters: &Letters<'_>, id: &str) -> Result<String, Error> {
    while let Some(letter) = letters.next().await? {
        if letter.id == id {
            return Ok([line(&letter), body(&letter)].join("\n"));
        }
    }
    Err(Error::NoSuchLetter(id.to_owned()))
}

/// Does something with those that are meant, and answers what that says of each. Where some are named, with none of them before all
/// are found: a name that none has is a mistake. Where all are meant, with one after the other, however many there are.
async fn each(
    letters: &Letters<'_>,
    which: &Which,
    act: impl AsyncFn(Letter) -> Result<Acted, Error>,
) -> Result<String, Error> {
    let mut acted = Vec::new();
    let mut named = Vec::new();
    while let Some(letter) = letters.next().await? {
        if which.all {
            acted.push(act(letter).await?);
        } else if which.ids.contains(&letter.id) {
            named.push(letter);
        }
    }
    if let Some(unknown) = which.ids.iter().find(|id| !named.iter().any(|letter| letter.id == **id)) {
        return Err(Error::NoSuchLetter(unknown.clone()));
    }
    for letter in named {
        acted.push(act(letter).await?);
    }
    let stays = acted.iter().filter(|acted| !acted.is_gone).count();
    let said: Vec<String> = acted.into_iter().map(|acted| acted.said).collect();
    match (said.len(), stays) {
        (0, _) => Ok(format!("0 dead letters of {}", letters.service)),
        (_, 0) => Ok(said.join("\n")),
        (all, stays) => Err(Error::LettersStay { said: said.join("\n"), stays, all }),
    }
}

/// What came of a letter.
struct Acted {
    is_gone: bool,
    said: String,
}

async fn replay<H: Handle>(letter: &Letter, consumer: &Consumer<H>) -> Result<(), String> {
    let envelope: Envelope = serde_json::from_slice(&letter.message.data).map_err(|error| error.to_string())?;
    // What it publishes is in the outbox, and leaves it with the next sweep of a process that serves.
    match consumer.attempt(std::slice::from_ref(&envelope)).await {
        Ok(_) => Ok(()),
        Err(Failure::Dead(reason) | Failure::TooNew(reason)) => Err(reason),
        Err(Failure::Retry(error)) => Err(error.to_string()),
    }
}

async fn acknowledge(letter: &Letter) -> Result<(), Error> {
    letter.message.ack(BasicAckOptions::default()).await?;
    Ok(())
}

/// The event's id; of what does not read, as its sender has said it outside of the body, or else a name made from the body.
pub(crate) fn id(data: &[u8], properties: &BasicProperties) -> String {
    if let Ok(envelope) = serde_json::from_slice::<Envelope>(data) {
        return envelope.id.to_string();
    }
    let said = properties.message_id().as_ref().map(ToString::to_string);
    said.unwrap_or_else(|| {
        let digest = Sha256::digest(data);
        format!("body-{}", digest.iter().take(6).fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
    })
}

/// `<id>  <type>  <order>  dead since <time>`
fn line(letter: &Letter) -> String {
    let envelope: Option<Envelope> = serde_json::from_slice(&letter.message.data).ok();
    let (kind, order) = match &envelope {
        Some(envelope) => (envelope.event.routing_key(), format!("order {}", envelope.event.order_id())),
        None => ("unreadable", format!("{} bytes", letter.message.data.len())),
    };
    let since = letter.message.properties.headers().as_ref().and_then(dead_since);
    let since = since.map_or_else(String::new, |since| format!("  dead since {since}"));
    format!("{}  {kind}  {order}{since}", letter.id)
}

/// When the broker moved it here (RabbitMQ's header `x-death`).
fn dead_since(headers: &FieldTable) -> Option<String> {
    let AMQPValue::FieldArray(deaths) = headers.inner().get("x-death")? else { return None };
    let AMQPValue::FieldTable(death) = deaths.as_slice().first()? else { return None };
    let AMQPValue::Timestamp(seconds) = death.inner().get("time")? else { return None };
    let at = time::OffsetDateTime::from_unix_timestamp(i64::try_from(*seconds).ok()?).ok()?;
    at.format(&time::format_description::well_known::Rfc3339).ok()
}

/// What it says, without what a terminal would obey.
fn body(letter: &Letter) -> String {
    let data = &letter.message.data;
    let text = match serde_json::from_slice::<serde_json::Value>(data) {
        Ok(value) => format!("{value:#}"),
        Err(_) => String::from_utf8_lossy(data).into_owned(),
    };
    let shown = text.chars().flat_map(|letter| {
        let is_obeyed = letter.is_control() && letter != '\n';
        let escaped = is_obeyed.then(|| letter.escape_default());
        escaped.into_iter().flatten().chain((!is_obeyed).then_some(letter))
    });
    shown.collect()
}
