//! Files stay short. Functions are measured by clippy (`too_many_lines`).

use super::source::Source;

const FILE_LINES_MAX: usize = 500;
/// Tests tell cases one after another.
const TEST_FILE_LINES_MAX: usize = 800;

/// Holds files to their lengths.
pub(super) fn check(sources: &[Source], breaches: &mut Vec<String>) {
    for source in sources {
        let lines = source.text.lines().count();
        let most = if source.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
        if lines > most {
            breaches.push(format!("{}: {lines} lines, more than {most}", source.path));
        }
    }
}
