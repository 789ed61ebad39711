//! The command line: one file for every command.

mod audit;
mod backup;
mod bill;
mod books;
mod copy;
mod demo;
pub mod host;
mod init;
mod migrate;
mod nodes;
mod restore;
mod secrets_check;
mod serve;
mod token;

use crate::serve::worker_threads;
use anyhow::Context;
use books::{BooksArgs, LogFormat};
use clap::{Parser, Subcommand};
use host::Host;
use std::process::ExitCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Subscription billing that a team runs itself: one program, one file of books.
///
/// Every option can also be set by the variable that stands beside it.
#[derive(Debug, Parser)]
#[command(name = "quittance", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    books: BooksArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it work: build an organization's trade by running through simulated time, and serve it.
    Demo(demo::Demo),
    /// Make the books of an organization, with its first staff and an API key that is shown once.
    Init(init::Init),
    /// Serve the five contracts and the merchant API, and bill what falls due.
    Serve(serve::Serve),
    /// Finish everything that is due, once, and say what was done.
    Bill(bill::Bill),
    /// Derive every invoice, balance, period and counter again, and fail where the books disagree.
    Audit(audit::Audit),
    /// Bring the schema of the books up to date, as every other command does when it opens them.
    Migrate(migrate::Migrate),
    /// Make a verified copy of a file of books, also while it is served.
    ///
    /// The backup is one file with all of the books as they stand at one instant. A server may go on serving
    /// them. Before the file gets its name it is read, held to its schema and audited.
    ///
    /// Not in it: the secrets. Keep FILE.secret (or the values of QUITTANCE_JWT_KEY and QUITTANCE_PEPPER)
    /// too, apart from the backups: without them the books are whole, but no API key and no token opens them.
    Backup(backup::Backup),
    /// Put a backup in the place of a file of books.
    ///
    /// The backup is copied beside its later place, read, held to its schema and audited there, and only then
    /// moved: a restore that fails or is interrupted leaves what was there before. No server may have the
    /// books.
    ///
    /// A backup does not hold the secrets: put FILE.secret back beside the books, or set QUITTANCE_JWT_KEY
    /// and QUITTANCE_PEPPER, so that API keys and tokens hold.
    Restore(restore::Restore),
    /// Move books between a file and a PostgreSQL database, either way.
    ///
    /// Every row is copied as it is, then read again on both sides and compared, and the copy is audited.
    /// Stop the servers of the source first; the copy fails if the source changes meanwhile.
    ///
    /// A copy that was interrupted is finished by the same command. Until then nothing serves or bills it.
    ///
    /// Not in the books: the secrets. Give the servers of the copy the same (FILE.secret, or
    /// QUITTANCE_JWT_KEY and QUITTANCE_PEPPER), so that API keys and tokens hold.
    Copy(copy::Copy),
    /// Say which servers share the books of a database, and which shards each of them bills.
    Nodes(nodes::Nodes),
    /// Give out, list and take back API keys and tokens.
    Token(token::Token),
}

/// Runs the program: reads its arguments, does what they name, and tells the person who typed them if it fails.
pub fn main(host: Host) -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads(cli.books.database.as_deref()))
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("quittance: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli, host)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quittance: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli, host: Host) -> anyhow::Result<()> {
    start_log(&cli.books)?;
    match cli.command {
        Command::Demo(demo) => demo.run(&cli.books, &host).await,
        Command::Init(init) => init.run(&cli.books, &host).await,
        Command::Serve(serve) => serve.run(&cli.books, &host).await,
        Command::Bill(bill) => bill.run(&cli.books, &host).await,
        Command::Audit(audit) => audit.run(&cli.books, &host).await,
        Command::Migrate(migrate) => migrate.run(&cli.books).await,
        Command::Backup(backup) => backup.run(&cli.books).await,
        Command::Restore(restore) => restore.run(&cli.books).await,
        Command::Copy(copy) => copy.run(&host).await,
        Command::Nodes(nodes) => nodes.run(&cli.books, &host).await,
        Command::Token(token) => token.run(&cli.books, &host).await,
    }
}

fn start_log(books: &BooksArgs) -> anyhow::Result<()> {
    let filter: Targets =
        books.log.parse().with_context(|| format!("{:?} is not a log filter", books.log))?;
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_terminal);
    let log = tracing_subscriber::registry().with(filter);
    let started = match books.log_format {
        LogFormat::Text => log.with(lines).try_init(),
        LogFormat::Json => log.with(lines.json()).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
