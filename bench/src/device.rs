//! The machine: its processors, and how long its disk takes to be sure.

use crate::failure::Failure;
use crate::report::median;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

/// One line about the machine.
pub(crate) fn describe(folder: &Path) -> Result<String, Failure> {
    let cores = std::thread::available_parallelism()?;
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let sync = sync_seconds(folder)? * 1e3;
    Ok(format!("Machine: {cores} cores of {model}, {}; fdatasync {sync:.2} ms", std::env::consts::OS))
}

/// How long one `fdatasync` after a page of writing takes: the median of 200, in seconds.
pub(crate) fn sync_seconds(folder: &Path) -> Result<f64, Failure> {
    let path = folder.join("sync-probe");
    let mut file = File::create(&path)?;
    // Room that is there already, as in a log that is written over.
    file.write_all(&vec![7_u8; 4096 * 64])?;
    file.sync_all()?;
    let mut taken = Vec::with_capacity(200);
    for n in 0..200_u64 {
        file.seek(SeekFrom::Start(n % 64 * 4096))?;
        file.write_all(&[n as u8; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        taken.push(start.elapsed().as_secs_f64());
    }
    std::fs::remove_file(path)?;
    Ok(median(&taken))
}

/// How much memory the machine has, in megabytes.
pub(crate) fn memory_megabytes() -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes =
        line.and_then(|line| line.split_whitespace().next()).ok_or("no memory in /proc/meminfo")?;
    Ok(kilobytes.parse::<u64>()? / 1024)
}
