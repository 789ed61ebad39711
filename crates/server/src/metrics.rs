//! What is counted, in the text form of Prometheus.

use crate::face::Face;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets of request times, in microseconds, with their spelling in seconds.
const BUCKETS: [(u64, &str); 10] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (5_000_000, "5"),
];

/// Counters of every face.
#[derive(Default)]
pub struct Metrics {
    faces: [Counters; Face::ALL.len()],
    panics: AtomicU64,
}

#[derive(Default)]
struct Counters {
    /// By the hundreds of the status, from 1xx.
    statuses: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS.len()],
    micros: AtomicU64,
}

impl Metrics {
    /// Counts an answer of a face with its status and how long it took.
    pub fn record(&self, face: Face, status: u16, took: Duration) {
        let counters = &self.faces[face as usize];
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        counters.statuses[class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counters.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(bucket) = BUCKETS.iter().position(|(bound, _)| micros <= *bound) {
            counters.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a request that panicked.
    pub fn record_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// All counters. `answers` is how many answers were given again and how many were made.
    pub fn text(&self, answers: (u64, u64)) -> String {
        let mut text = String::with_capacity(8 << 10);
        // Writing to a String cannot fail.
        let _infallible = self.write(&mut text, answers);
        text
    }

    fn write(&self, out: &mut String, answers: (u64, u64)) -> std::fmt::Result {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        out.push_str("# HELP quittance_requests_total Requests answered.\n");
        out.push_str("# TYPE quittance_requests_total counter\n");
        for (face, counters) in Face::ALL.iter().zip(&self.faces) {
            for (class, counter) in (1..).zip(&counters.statuses) {
                let (face, n) = (face.name(), read(counter));
                writeln!(out, "quittance_requests_total{{face=\"{face}\",status=\"{class}xx\"}} {n}")?;
            }
        }
        out.push_str("# HELP quittance_request_seconds How long requests took.\n");
        out.push_str("# TYPE quittance_request_seconds histogram\n");
        for (face, counters) in Face::ALL.iter().zip(&self.faces) {
            let face = face.name();
            let mut sum = 0;
            for ((_, bound), counter) in BUCKETS.iter().zip(&counters.buckets) {
                sum += read(counter);
                writeln!(out, "quittance_request_seconds_bucket{{face=\"{face}\",le=\"{bound}\"}} {sum}")?;
            }
            let count: u64 = counters.statuses.iter().map(read).sum();
            let micros = read(&counters.micros);
            writeln!(out, "quittance_request_seconds_bucket{{face=\"{face}\",le=\"+Inf\"}} {count}")?;
            let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
            writeln!(out, "quittance_request_seconds_sum{{face=\"{face}\"}} {seconds}.{rest:06}")?;
            writeln!(out, "quittance_request_seconds_count{{face=\"{face}\"}} {count}")?;
        }
        for (name, help, value) in [
            ("quittance_answers_kept_total", "Answers given again from memory.", answers.0),
            ("quittance_answers_made_total", "Answers made from the books.", answers.1),
            ("quittance_panics_total", "Requests that panicked.", read(&self.panics)),
        ] {
            writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}")?;
        }
        Ok(())
    }
}
