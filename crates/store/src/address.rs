//! Where books lie: a file, or a database with its URL.

/// Whether the address of some books is a URL, and not the path of a file.
pub fn is_url(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

/// The address of some books as anybody may read it: without user, password and settings.
pub fn address_label(address: &str) -> String {
    // Also one that is misspelt: it may have a password all the same.
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    if settings.contains('@') {
        // The `?` may be of a password, or the `@` of a setting: nobody can tell where the host begins.
        return format!("{scheme}://…");
    }
    format!("{scheme}://{}", place.rsplit_once('@').map_or(place, |(_, place)| place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        let shapes = [
            ("books.db", "books.db"),
            ("/var/books@home/b?.db", "/var/books@home/b?.db"),
            ("postgres://h/b", "postgres://h/b"),
            ("postgres://u@h:1,i:2/b", "postgres://h:1,i:2/b"),
            ("postgresql://u:geheim@h/b?sslmode=disable", "postgresql://h/b"),
            ("postgres://h/b?user=u&password=geheim", "postgres://h/b"),
            ("postgres://u:ge/h@eim@h/b", "postgres://h/b"),
            ("postgres://u:ge?heim@h/b", "postgres://…"),
            ("postgres://u:ge@h?eim@h/b", "postgres://…"),
            ("postgres://u:geheim@h/b?application_name=a@b", "postgres://…"),
            ("postgres://h/b?password=ge@heim", "postgres://…"),
            ("Postgres://u:geheim@h/b", "Postgres://h/b"),
        ];
        for (address, expected) in shapes {
            assert_eq!(address_label(address), expected, "{address}");
        }
    }
}
