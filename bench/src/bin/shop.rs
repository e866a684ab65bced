//! Runs the shop on loopback until it is told to stop.

use std::path::PathBuf;
use std::time::Duration;

use bench::{Failure, Options, Shop};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the shop on loopback until it is told to stop; says where it is in a file that it writes when all are ready. A SIGHUP
/// has those services started again whose programs were compiled anew.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// The file that says where the shop is, as shell variables.
    #[arg(long, default_value = ".local/shop.env")]
    says: PathBuf,
}

/// How often the balancers look who is ready.
const LOOK: Duration = Duration::from_millis(250);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Arguments { options, says } = Arguments::parse();
    let _ = std::fs::remove_file(&says);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut compiled = signal(SignalKind::hangup())?;
    let mut shop = Shop::start(&options, &|_| Box::new(|| Box::new(|_| {}))).await?;
    let [email, password] = shop.stack.admin();
    let text =
        format!("SHOP_ADDRESS=http://{}\nSHOP_ADMIN_EMAIL={email}\nSHOP_ADMIN_PASSWORD={password}\n", shop.address);
    std::fs::write(&says, text)?;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = compiled.recv() => shop.launch_changed().await?,
            _ = look.tick() => shop.balance().await,
        }
    }
    let _ = std::fs::remove_file(&says);
    shop.remove().await;
    Ok(())
}
