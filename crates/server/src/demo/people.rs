//! Who the demo's customers are: where they live, how they are called and how the merchant calls them.

use super::chance::Chance;

/// A place that customers come from.
#[derive(Clone, Copy)]
pub(super) struct Location {
    /// ISO 3166 alpha-2.
    pub country: &'static str,
    /// State or province.
    pub state: Option<&'static str>,
    /// City.
    pub city: &'static str,
    /// Postal code.
    pub postal_code: &'static str,
    /// IANA time zone; the seller's if none.
    pub zone: Option<&'static str>,
}

const fn place(
    country: &'static str,
    state: Option<&'static str>,
    city: &'static str,
    postal_code: &'static str,
    zone: &'static str,
) -> Location {
    Location { country, state, city, postal_code, zone: Some(zone) }
}

pub(super) const LOS_ANGELES: Location =
    place("US", Some("CA"), "Los Angeles", "90012", "America/Los_Angeles");
pub(super) const BENGALURU: Location = place("IN", Some("KA"), "Bengaluru", "560001", "Asia/Kolkata");
pub(super) const MUMBAI: Location = place("IN", Some("MH"), "Mumbai", "400001", "Asia/Kolkata");
pub(super) const BERLIN: Location = place("DE", None, "Berlin", "10115", "Europe/Berlin");
pub(super) const PARIS: Location = place("FR", None, "Paris", "75002", "Europe/Paris");
pub(super) const DUBLIN: Location = place("IE", None, "Dublin", "D02 AF30", "Europe/Dublin");
pub(super) const TOKYO: Location = place("JP", None, "Tokyo", "100-0001", "Asia/Tokyo");
pub(super) const KUWAIT: Location = place("KW", None, "Kuwait City", "13001", "Asia/Kuwait");
const NEW_YORK: Location = place("US", Some("NY"), "New York", "10001", "America/New_York");
const CAIRO: Location = place("EG", None, "Cairo", "4270001", "Africa/Cairo");
const LORD_HOWE: Location = place("AU", Some("NSW"), "Lord Howe Island", "2898", "Australia/Lord_Howe");
const SAO_PAULO: Location = place("BR", Some("SP"), "São Paulo", "01310-100", "America/Sao_Paulo");
const MONTREAL: Location = place("CA", Some("QC"), "Montréal", "H2Y 1C6", "America/Toronto");
const KATHMANDU: Location = place("NP", None, "Kathmandu", "44600", "Asia/Kathmandu");
const NOWHERE_SAID: Location =
    Location { country: "US", state: Some("WA"), city: "Seattle", postal_code: "98101", zone: None };

/// Places whose customers pay in US dollars.
pub(super) const DOLLAR_PLACES: &[Location] =
    &[NEW_YORK, LOS_ANGELES, CAIRO, LORD_HOWE, SAO_PAULO, MONTREAL, KATHMANDU, NOWHERE_SAID];

const FIRST: &[&str] = &[
    "Blue Heron",
    "Copper",
    "Juniper",
    "Harbor",
    "Silver Birch",
    "Northwind",
    "Saffron",
    "Granite",
    "Willow",
    "Red Kite",
    "Amber",
    "Lantern",
    "Meadow",
    "Osprey",
    "Tamarind",
    "Cedar",
    "Quarry",
    "Monsoon",
    "Pebble",
    "Falcon",
    "Orchid",
    "Driftwood",
    "Marigold",
    "Summit",
    "Ember",
    "Cobalt",
    "Thistle",
    "Banyan",
    "Glacier",
    "Lotus",
];
const SECOND: &[&str] = &[
    "Logistics",
    "Dental",
    "Robotics",
    "Bakery",
    "Clinic",
    "Travel",
    "Legal",
    "Studios",
    "Insurance",
    "Foods",
    "Motors",
    "Energy",
    "Academy",
    "Realty",
    "Textiles",
    "Security",
    "Optics",
];
const GIVEN: &[&str] = &[
    "Ada", "Ravi", "Mei", "Jonas", "Fatima", "Luis", "Aiko", "Priya", "Omar", "Clara", "Samuel", "Ines",
    "Yusuf", "Hana", "Pierre", "Noor",
];
const FAMILY: &[&str] = &[
    "Okafor", "Sharma", "Tanaka", "Weber", "Al-Sabah", "Silva", "Haddad", "Martin", "Kowalski", "Ito",
    "Nair", "Byrne", "Lund",
];
const STREETS: &[&str] = &["Harbour Street", "Mill Lane", "Station Road", "Market Square", "Park Avenue"];

/// The merchant's own ids that no path, query or shell likes.
const ODD_IDS: &[&str] = &[
    "team/eu/7",
    "a b+c%20d",
    "naïve café",
    "клиент-№5",
    "東京支店",
    "🚀 launch",
    "x?y=1&z=2#top",
    "semi;colon,comma",
    "quote'\"<b>&amp;",
    "back\\slash",
    "100%",
    "~tilde|pipe^caret",
    "{curly}[square]",
    "user@example.com:8080",
];

/// A customer as the merchant's application knows it.
#[derive(Clone)]
pub(super) struct Person {
    /// The merchant's own id.
    pub external_id: String,
    /// The company's name.
    pub name: String,
    /// Its domain-like name.
    pub handle: Option<String>,
    /// Who acts for it.
    pub contact: String,
    /// Street and number.
    pub street: String,
    /// Where.
    pub place: Location,
}

impl Person {
    /// The e-mail address of the company's bills.
    pub(super) fn email(&self) -> String {
        let host: String = self.name.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("billing@{}.example", host.to_lowercase())
    }

    /// The e-mail address of who acts for it.
    pub(super) fn contact_email(&self) -> String {
        let local: Vec<String> = self.contact.split(' ').map(str::to_lowercase).collect();
        let email = self.email();
        format!("{}@{}", local.join("."), email.split_once('@').map_or("", |(_, host)| host))
    }
}

/// The customer of a place in the demo's list, from 0.
pub(super) fn person(chance: &mut Chance, index: i64, place: Location) -> Person {
    let (first, second) = (FIRST.len() as i64, SECOND.len() as i64);
    // The two lists have no common divisor: each pair comes once before any comes again.
    let mut name = format!("{} {}", FIRST[(index % first) as usize], SECOND[(index % second) as usize]);
    let round = index / (first * second);
    if round > 0 {
        name.push_str(&format!(" {}", round + 1));
    }
    let host: String = name.to_lowercase().replace(' ', "-");
    Person {
        external_id: external_id(chance, index, &host),
        handle: (index % 3 != 2).then(|| format!("{host}.example")),
        contact: format!("{} {}", chance.pick(GIVEN), chance.pick(FAMILY)),
        street: format!("{} {}", chance.between(1, 240), chance.pick(STREETS)),
        name,
        place,
    }
}

/// Applications number their customers in all sorts of ways.
fn external_id(chance: &mut Chance, index: i64, host: &str) -> String {
    match index % 8 {
        0..=2 => chance.hex(24),
        3 => {
            let hex = chance.hex(32);
            let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
            format!("{a}-{b}-{c}-{d}-{e}")
        }
        4 => format!("acme-{index:04}"),
        5 => format!("{}", 100_000 + index),
        6 => host.to_owned(),
        _ => {
            let turn = index / 8;
            let (odd, round) = (turn % ODD_IDS.len() as i64, turn / ODD_IDS.len() as i64);
            let suffix = if round == 0 { String::new() } else { format!(" {}", round + 1) };
            format!("{}{suffix}", ODD_IDS[odd as usize])
        }
    }
}
