//! A load on loopback: a few connections that stay open, each asking again as soon as it has its answer.

use crate::Failure;
use crate::report::median;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request as it goes over the wire, and the status that it must be answered with.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    wire: Vec<u8>,
    status: u16,
}

impl Ask {
    /// A request with headers and, for a write, a JSON body.
    pub(crate) fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &str, status: u16) -> Self {
        let mut wire = format!("{method} {target} HTTP/1.1\r\nhost: bench\r\n");
        for (name, value) in headers {
            wire.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            wire.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        wire.push_str("\r\n");
        wire.push_str(body);
        Self { wire: wire.into_bytes(), status }
    }

    /// A read.
    pub(crate) fn get(target: &str, headers: &[(&str, &str)]) -> Self {
        Self::new("GET", target, headers, "", 200)
    }
}

/// What came of a load.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Answers per second.
    pub(crate) rate: f64,
    /// The 99th percentile of the time that an answer took, in milliseconds.
    pub(crate) p99_ms: f64,
    /// The median of it.
    pub(crate) p50_ms: f64,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// When each request has been made once.
    Once,
}

/// Asks from `connections` at a time, going round the requests. Runs on a thread of its own.
pub(crate) fn run(
    address: SocketAddr,
    asks: Arc<Vec<Ask>>,
    connections: usize,
    until: Until,
) -> Result<Loaded, Failure> {
    let thread = std::thread::spawn(move || -> Result<Loaded, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(load(address, asks, connections, until))
    });
    thread.join().map_err(|_| "the load panicked")?
}

async fn load(
    address: SocketAddr,
    asks: Arc<Vec<Ask>>,
    connections: usize,
    until: Until,
) -> Result<Loaded, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = Vec::with_capacity(connections);
    for _ in 0..connections {
        let (asks, next) = (Arc::clone(&asks), Arc::clone(&next));
        tasks.push(tokio::spawn(async move { client(address, &asks, &next, start, until).await }));
    }
    let mut taken = Vec::new();
    for task in tasks {
        taken.extend(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    taken.sort_by(f64::total_cmp);
    let p99 = taken.get(taken.len() * 99 / 100).copied().unwrap_or(0.0);
    Ok(Loaded { rate: taken.len() as f64 / seconds, p99_ms: p99 * 1e3, p50_ms: median(&taken) * 1e3 })
}

async fn client(
    address: SocketAddr,
    asks: &[Ask],
    next: &AtomicUsize,
    start: Instant,
    until: Until,
) -> Result<Vec<f64>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(64 << 10);
    let mut taken = Vec::with_capacity(4096);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let is_over = match until {
            Until::Time(time) => start.elapsed() >= time,
            Until::Once => n >= asks.len(),
        };
        if is_over {
            return Ok(taken);
        }
        let ask = &asks[n % asks.len()];
        let asked = Instant::now();
        stream.write_all(&ask.wire).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        taken.push(asked.elapsed().as_secs_f64());
        if status != ask.status {
            let text = String::from_utf8_lossy(&buffer);
            return Err(format!("{} wanted, answered: {text}", ask.status).into());
        }
    }
}

/// Reads one answer into the buffer, and says its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16, Failure> {
    buffer.clear();
    let mut whole = None;
    loop {
        if let Some((status, length)) = whole
            && buffer.len() >= length
        {
            return Ok(status);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        if whole.is_none() {
            whole = head(buffer)?;
        }
    }
}

/// The status, and the length of head and body together; none while the head is not whole.
fn head(buffer: &[u8]) -> Result<Option<(u16, usize)>, Failure> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..end])?;
    let status = text.get(9..12).ok_or("no status line")?.parse()?;
    let mut length = 0;
    for line in text.lines().skip(1) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    Ok(Some((status, end + 4 + length)))
}

/// The body of one answer.
pub(crate) fn fetch(address: SocketAddr, ask: &Ask) -> Result<Vec<u8>, Failure> {
    let ask = ask.clone();
    let thread = std::thread::spawn(move || -> Result<Vec<u8>, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&ask.wire).await?;
            let mut buffer = Vec::new();
            let status = answer(&mut stream, &mut buffer).await?;
            let end = buffer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")?;
            if status != ask.status {
                return Err(format!("answered: {}", String::from_utf8_lossy(&buffer)).into());
            }
            Ok(buffer.split_off(end + 4))
        })
    });
    thread.join().map_err(|_| "the request panicked")?
}
