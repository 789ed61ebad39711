//! What the demo's seller sells, as data: products with their prices, discounts and tax rates.

use billing::calendar::IntervalUnit;
use billing::calendar::IntervalUnit::{Day, Month, Week, Year};
use billing::catalog::Category;
use billing::catalog::Category::{AddOn, AiTools, Credits, Sms, Storage, Subscription};
use billing::currency::Currency;

/// A product on the seller's list.
pub(super) struct Good {
    /// Its short name.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its charges are for.
    pub category: Category,
    /// What it is.
    pub description: &'static str,
    /// What one and several units of it are called.
    pub units: Option<(&'static str, &'static str)>,
    /// What a page says of it.
    pub features: &'static [&'static str],
    /// Whether it can still be bought.
    pub active: bool,
    /// What it costs; the first one is the product's first offer.
    pub tags: &'static [Tag],
}

/// A price of a product.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    /// Its short name.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// In minor units.
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
    /// How often; once if none.
    pub every: Option<(IntervalUnit, u32)>,
    /// Days without charge.
    pub trial_days: Option<i64>,
    /// Charged once, in minor units.
    pub setup_fee: Option<i64>,
    /// After how many periods it is done.
    pub periods: Option<i64>,
    /// Whether tax is inside.
    pub with_tax: bool,
}

const fn tag(slug: &'static str, name: &'static str, amount: i64, currency: Currency) -> Tag {
    Tag {
        slug,
        name,
        amount,
        currency,
        every: None,
        trial_days: None,
        setup_fee: None,
        periods: None,
        with_tax: false,
    }
}

impl Tag {
    const fn every(mut self, count: u32, unit: IntervalUnit) -> Self {
        self.every = Some((unit, count));
        self
    }

    const fn trial(mut self, days: i64) -> Self {
        self.trial_days = Some(days);
        self
    }

    const fn setup(mut self, fee: i64) -> Self {
        self.setup_fee = Some(fee);
        self
    }

    const fn times(mut self, periods: i64) -> Self {
        self.periods = Some(periods);
        self
    }

    const fn with_tax(mut self) -> Self {
        self.with_tax = true;
        self
    }
}

const USD: Currency = Currency::USD;
const EUR: Currency = Currency::EUR;
const INR: Currency = Currency::INR;
const JPY: Currency = Currency::JPY;
const KWD: Currency = Currency::KWD;

const fn good(
    slug: &'static str,
    name: &'static str,
    category: Category,
    description: &'static str,
    tags: &'static [Tag],
) -> Good {
    Good { slug, name, category, description, units: None, features: &[], active: true, tags }
}

/// The product that document 004 means where a request names none.
pub(super) const MAIN_PRODUCT: &str = "unpod.dev";

/// What the default catalog offers.
pub(super) const GOODS: &[Good] = &[
    Good {
        features: &["Unlimited inbound calls", "Call routing", "99.9 % availability"],
        ..good(
            MAIN_PRODUCT,
            "Voice Platform",
            Subscription,
            "Phone lines that answer by themselves.",
            &[
                tag("voice-monthly", "Monthly", 2_900, USD).every(1, Month),
                tag("voice-yearly", "Yearly", 29_000, USD).every(1, Year),
                tag("voice-inr", "Monthly", 115_030, INR).every(1, Month),
                tag("voice-inr-yearly", "Yearly", 1_150_300, INR).every(1, Year),
                tag("voice-eur", "Monthly", 2_700, EUR).every(1, Month).with_tax(),
                tag("voice-eur-yearly", "Yearly", 27_000, EUR).every(1, Year).with_tax(),
                tag("voice-jpy", "Monthly", 4_400, JPY).every(1, Month).with_tax(),
                tag("voice-kwd", "Monthly", 9_250, KWD).every(1, Month),
            ],
        )
    },
    Good {
        units: Some(("seat", "seats")),
        features: &["Shared inbox", "Supervisor view", "Single sign-on"],
        ..good(
            "team",
            "Team",
            Subscription,
            "Seats for people who take calls.",
            &[
                tag("team-trial", "Standard", 1_200, USD).every(1, Month).trial(14).setup(4_900),
                tag("team", "Standard", 1_200, USD).every(1, Month).setup(4_900),
                tag("team-growth", "Growth", 2_000, USD).every(1, Month),
                tag("team-quarterly", "Quarterly", 3_300, USD).every(3, Month),
                tag("team-eur-trial", "Standard", 1_100, EUR).every(1, Month).trial(30).with_tax(),
            ],
        )
    },
    good(
        "basic",
        "Basic (watermark free)",
        Subscription,
        "One line, week by week.",
        &[
            tag("basic-weekly", "Weekly (basic)", 1_500, USD).every(1, Week),
            tag("basic-fortnightly", "Two weeks (basic)", 2_800, USD).every(2, Week),
        ],
    ),
    good(
        "event-line",
        "Event Line",
        Subscription,
        "A line for a fair or a campaign, day by day.",
        &[
            tag("event-daily", "Daily", 400, USD).every(1, Day),
            tag("event-pass", "Ten-day pass", 350, USD).every(1, Day).times(10),
            tag("event-decade", "Every ten days", 3_200, USD).every(10, Day),
        ],
    ),
    good(
        "onboarding",
        "Onboarding Programme",
        Subscription,
        "Our people set your lines up, paid in instalments.",
        &[
            tag("onboarding", "Three instalments", 15_000, USD).every(1, Month).times(3),
            tag("onboarding-eur", "Four instalments", 9_000, EUR).every(1, Week).times(4).with_tax(),
        ],
    ),
    good(
        "support",
        "Priority Support",
        AddOn,
        "An answer within the hour.",
        &[
            tag("support", "Monthly", 2_500, USD).every(1, Month),
            tag("support-fortnightly", "Two weeks", 1_400, USD).every(2, Week),
            tag("support-quarterly", "Quarterly", 6_900, USD).every(3, Month),
            tag("support-inr", "Monthly", 89_900, INR).every(1, Month),
            tag("support-eur", "Monthly", 2_200, EUR).every(1, Month).with_tax(),
        ],
    ),
    Good {
        units: Some(("agent", "agents")),
        ..good(
            "assistant",
            "AI Assistant",
            AiTools,
            "An agent that takes calls, books and answers.",
            &[
                tag("assistant", "Monthly", 1_900, USD).every(1, Month),
                tag("assistant-eur", "Monthly", 1_800, EUR).every(1, Month).with_tax(),
                tag("assistant-pack", "1,000 answers", 6_000, USD),
            ],
        )
    },
    good(
        "credits",
        "Calling Credits",
        Credits,
        "Minutes paid beforehand.",
        &[
            tag("credits", "500 minutes", 5_000, USD),
            tag("credits-inr", "500 minutes", 400_000, INR),
            tag("credits-kwd", "500 minutes", 15_500, KWD),
        ],
    ),
    good(
        "sms",
        "Text Messages",
        Sms,
        "Reminders by text message.",
        &[
            tag("sms", "1,000 a month", 1_000, USD).every(1, Month),
            tag("sms-pack", "2,500 messages", 2_000, USD),
            tag("sms-inr", "2,500 messages", 70_000, INR),
        ],
    ),
    good(
        "storage",
        "Recording Storage",
        Storage,
        "Room for recordings.",
        &[
            tag("storage", "100 GB a month", 500, USD).every(1, Month),
            tag("storage-yearly", "100 GB a year", 5_000, USD).every(1, Year),
            tag("storage-eur", "100 GB a month", 450, EUR).every(1, Month).with_tax(),
            tag("storage-export", "Export of all recordings", 1_500, USD),
        ],
    ),
    Good {
        active: false,
        ..good(
            "dialer",
            "Dialer",
            Subscription,
            "No longer sold.",
            &[tag("dialer", "Monthly", 900, USD).every(1, Month)],
        )
    },
];

/// What a second catalog offers to large customers.
pub(super) const LARGE_GOODS: &[Good] = &[good(
    "enterprise",
    "Enterprise Platform",
    Subscription,
    "Lines without limit, with an agreement.",
    &[
        tag("enterprise", "Monthly", 120_000, USD).every(1, Month),
        tag("enterprise-yearly", "Yearly", 1_200_000, USD).every(1, Year),
    ],
)];

/// How much a coupon takes off.
pub(super) enum Off {
    /// Whole percent.
    Percent(i64),
    /// Minor units of a currency.
    Fixed(i64, Currency),
}

/// A discount: code, name, how much, and for how many invoices (none for all).
pub(super) const COUPONS: &[(&str, &str, Off, Option<i64>)] = &[
    ("WELCOME20", "20 % off the first invoice", Off::Percent(20), Some(1)),
    ("LOYAL10", "10 % off for good", Off::Percent(10), None),
    ("FIRST3", "Half price for three payments", Off::Percent(50), Some(3)),
    ("FIVEOFF", "5 dollars off for good", Off::Fixed(500, USD), None),
    ("DIWALI", "500 rupees off six times", Off::Fixed(50_000, INR), Some(6)),
    ("LAUNCH", "10 dollars off once", Off::Fixed(1_000, USD), Some(1)),
];

/// A tax that the seller owes somewhere.
pub(super) struct Tax {
    /// Its kind, in the words of document 002.
    pub kind: &'static str,
    /// ISO 3166 alpha-2.
    pub country: &'static str,
    /// The state, where it is one of a state.
    pub state: Option<&'static str>,
    /// What it is for; everything if none.
    pub category: Option<Category>,
    /// In percent.
    pub rate: &'static str,
}

const fn tax(kind: &'static str, country: &'static str, rate: &'static str) -> Tax {
    Tax { kind, country, state: None, category: None, rate }
}

/// The taxes that the seller knows.
pub(super) const TAXES: &[Tax] = &[
    tax("gst", "IN", "18"),
    tax("vat", "DE", "19"),
    tax("vat", "FR", "20"),
    tax("vat", "IE", "23"),
    tax("jct", "JP", "10"),
    tax("gst", "CA", "5"),
    Tax { state: Some("QC"), ..tax("qst", "CA", "14.975") },
    Tax { state: Some("NY"), category: Some(Storage), ..tax("sales_tax", "US", "8.875") },
];
