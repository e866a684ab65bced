//! What a person does with messages that were given up: looks at them, has them handled again, or throws them away.
//!
//! A service does it with its own queue and its own handler, by a subcommand of its binary: nobody else has the right, and a message
//! that is replayed takes the way that it would have taken. What is looked at goes back where it was with the connection.

use clap::{FromArgMatches as _, Subcommand as _};
use ecommerce_contract::{Envelope, topology};
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::{AMQPValue, FieldTable};
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::connection::Session;
use crate::consumer::{Consumer, Failure, Handle};

/// As many are read at once.
const MOST: usize = 10_000;

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

impl Which {
    fn names(&self, letter: &Letter) -> bool {
        self.all || self.ids.contains(&letter.id)
    }
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
    let done = with_letters(command, consumer, read(&session, consumer).await?).await;
    session.close().await;
    done
}

async fn read<H: Handle>(session: &Session, consumer: &Consumer<H>) -> Result<Vec<Letter>, Error> {
    let queue = topology::dead_letter_queue(consumer.service);
    let mut letters = Vec::new();
    while letters.len() < MOST
        && let Some(message) = session.channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await?
    {
        letters.push(Letter { id: id(&message), message });
    }
    Ok(letters)
}

async fn with_letters<H: Handle>(
    command: &Command,
    consumer: &Consumer<H>,
    letters: Vec<Letter>,
) -> Result<String, Error> {
    let mut said = Vec::new();
    match command {
        Command::List => {
            said.extend(letters.iter().map(line));
            said.push(format!("{} dead letters of {}", letters.len(), consumer.service));
        }
        Command::Show { id } => {
            let letter =
                letters.iter().find(|letter| letter.id == *id).ok_or_else(|| Error::NoSuchLetter(id.clone()))?;
            said.extend([line(letter), body(letter)]);
        }
        Command::Replay(which) => {
            for letter in chosen(&letters, which)? {
                match replay(letter, consumer).await {
                    Ok(()) => {
                        acknowledge(letter).await?;
                        said.push(format!("{} was handled", letter.id));
                    }
                    Err(reason) => said.push(format!("{} stays: {reason}", letter.id)),
                }
            }
        }
        Command::Discard(which) => {
            for letter in chosen(&letters, which)? {
                acknowledge(letter).await?;
                said.push(format!("{} is gone", line(letter)));
            }
        }
    }
    Ok(said.join("\n"))
}

/// Those that are meant; a name that none has is a mistake, and then nothing is done.
fn chosen<'a>(letters: &'a [Letter], which: &Which) -> Result<Vec<&'a Letter>, Error> {
    if let Some(unknown) = which.ids.iter().find(|id| !letters.iter().any(|letter| letter.id == **id)) {
        return Err(Error::NoSuchLetter(unknown.clone()));
    }
    Ok(letters.iter().filter(|letter| which.names(letter)).collect())
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
fn id(message: &BasicGetMessage) -> String {
    if let Ok(envelope) = serde_json::from_slice::<Envelope>(&message.data) {
        return envelope.id.to_string();
    }
    let said = message.properties.message_id().as_ref().map(ToString::to_string);
    said.unwrap_or_else(|| {
        let digest = Sha256::digest(&message.data);
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

fn body(letter: &Letter) -> String {
    let data = &letter.message.data;
    match serde_json::from_slice::<serde_json::Value>(data) {
        Ok(value) => format!("{value:#}"),
        Err(_) => String::from_utf8_lossy(data).into_owned(),
    }
}
