//! Who ends the programs that tests start: a shell that outlives the tests by a moment, however they end.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// The user nobody, as whom programs run if the tests are run by root, which PostgreSQL refuses.
const NOBODY: u32 = 65534;

/// A shell whose script goes on until its standard input ends.
#[derive(Debug)]
pub(crate) struct Keeper {
    // It ends when this is dropped or the process that has it ends.
    leash: Option<ChildStdin>,
    shell: Child,
}

/// How a program ends, and what is left of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parting {
    /// What a shell calls the signal.
    pub(crate) signal: &'static str,
    /// Whether its folder is used again.
    pub(crate) folder_stays: bool,
}

impl Keeper {
    /// Starts a program with its words in a folder, where its standard error is kept as `log`; none if it ends
    /// before it says there that it is ready.
    pub(crate) fn of(words: &[String], folder: &Path, ready: &str, parting: Parting) -> Option<Keeper> {
        let mut shell = as_nobody(Path::new("/bin/sh"), folder);
        let goes = if parting.folder_stays { Path::new("") } else { folder };
        shell.args(["-c", SCRIPT, "keeper", parting.signal]).arg(goes).args(words).stderr(Stdio::piped());
        let mut log = std::fs::File::create(folder.join("log")).unwrap();
        let mut keeper = Keeper::spawn(&mut shell);
        let said = BufReader::new(keeper.shell.stderr.take().unwrap());
        let mut said = said.lines().map_while(Result::ok).inspect(move |line| {
            // The folder may be on a disk that is full: no reason to hold the program up.
            let _ = writeln!(log, "{line}");
        });
        if !said.any(|line| line.contains(ready)) {
            // What it said is worth more than an empty machine.
            keeper.abandon();
            return None;
        }
        // A pipe that nobody reads would hold it up in the end.
        std::thread::spawn(move || said.for_each(drop));
        Some(keeper)
    }

    /// Starts a shell that reads from what is written to it.
    pub(crate) fn spawn(shell: &mut Command) -> Keeper {
        let mut shell = shell.stdin(Stdio::piped()).spawn().unwrap();
        Keeper { leash: shell.stdin.take(), shell }
    }

    /// Writes a line to it.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.leash.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends the shell before it takes anything away.
    fn abandon(&mut self) {
        self.shell.kill().unwrap();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.shell.wait();
    }
}

/// Runs a program until the standard input ends, then ends it with a signal and takes a folder away, if
/// one is named. A key that interrupts the tests reaches the shell too, which has still to clean up.
const SCRIPT: &str = r#"
trap '' INT QUIT HUP
signal=$1; folder=$2; shift 2
"$@" </dev/null &
exec 2>/dev/null
cat >/dev/null
kill "-$signal" $!
wait
cd /
[ -z "$folder" ] || rm -rf "$folder"
"#;

/// A program that works in a folder, as somebody who owns nothing but that if the tests are run by root.
pub(crate) fn as_nobody(program: &Path, folder: &Path) -> Command {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = Command::new(program);
    command.current_dir(folder).stdout(Stdio::null());
    if is_root {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(script: &str, folder: &Path, folder_stays: bool) -> Option<Keeper> {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        Keeper::of(&words, folder, "is up", Parting { signal: "TERM", folder_stays })
    }

    #[test]
    fn a_program_ends_with_its_keeper_and_leaves_what_is_wanted() {
        for folder_stays in [false, true] {
            let folder = tempfile::tempdir().unwrap().keep();
            let keeper = keep("echo $$ >&2; echo it is up >&2; exec sleep 600", &folder, folder_stays);
            let number = std::fs::read_to_string(folder.join("log")).unwrap();
            let process = Path::new("/proc").join(number.lines().next().unwrap());
            assert!(process.exists());
            drop(keeper.unwrap());
            assert!(!process.exists());
            assert_eq!(folder.exists(), folder_stays);
            if folder_stays {
                std::fs::remove_dir_all(folder).unwrap();
            }
        }
    }

    #[test]
    fn a_program_that_ends_before_it_is_ready_leaves_its_folder_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        assert!(keep("echo this port is taken >&2", folder.path(), false).is_none());
        assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), "this port is taken\n");
    }
}
