//! Where the story is played: each act is a use case of the engine.

use super::people::Person;
use super::script::{Act, Charged, Pick, StoryLine, When};
use super::shop::Shop;
use crate::json::{Object, object};
use billing::catalog::{Category, TaxBehavior};
use billing::currency::Currency;
use billing::customer::edit::NewPaymentMethod;
use billing::customer::{Address, CustomerEdit, PaymentMethodKind};
use billing::id::{CustomerId, InvoiceId, PaymentId, PaymentMethodId, PurchaseId, SubscriptionId};
use billing::invoice::{Invoice, InvoiceStatus};
use billing::money::Money;
use billing::payment::manual::{ManualPaymentEdit, NewManualPayment};
use billing::payment::{Payment, PaymentChannel, PaymentKind, PaymentStatus};
use billing::refusal::Refusal;
use billing::subscription::cancel::CancelAt;
use billing::subscription::change::ChangeTiming;
use billing::timestamp::Timestamp;
use engine::{Adjust, At, Engine, Error, Kind, NewLine, Of, Subscribe, SubscribeItem};
use std::collections::BTreeMap;
use store::pages::CursorPage;

/// The engine, and the shop that it keeps the books of.
pub(super) struct Stage<'a> {
    pub engine: &'a Engine,
    pub shop: &'a Shop,
}

/// What the books know of a customer, by the names that the script has for it.
pub(super) struct Player {
    person: Person,
    is_large: bool,
    joined: Option<CustomerId>,
    methods: BTreeMap<&'static str, PaymentMethodId>,
    subscriptions: BTreeMap<&'static str, SubscriptionId>,
    purchase: Option<PurchaseId>,
    invoice: Option<InvoiceId>,
    payment: Option<PaymentId>,
}

impl Player {
    pub(super) fn new(person: Person, is_large: bool) -> Self {
        Self {
            person,
            is_large,
            joined: None,
            methods: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            purchase: None,
            invoice: None,
            payment: None,
        }
    }

    fn joined(&self) -> Result<CustomerId, Error> {
        self.joined.ok_or_else(|| Error::none_named(Kind::Customer, &self.person.external_id))
    }

    fn subscription(&self, name: &'static str) -> Result<SubscriptionId, Error> {
        self.subscriptions.get(name).copied().ok_or_else(|| Error::none_named(Kind::Subscription, name))
    }
}

/// A page that holds all that a customer of the demo can have.
const ALL: CursorPage = CursorPage { after: None, limit: 1_000_000 };

impl Stage<'_> {
    /// Plays one act.
    pub(super) async fn play(&self, now: Timestamp, player: &mut Player, act: &Act) -> Result<(), Error> {
        let (engine, environment) = (self.engine, self.shop.environment.number);
        match act {
            Act::Join => self.join(now, player).await,
            Act::GiveCard(token, is_default) => self.give_card(now, player, token, *is_default).await,
            Act::Subscribe { name, items, card, coupon, days_ago } => {
                let wanted = Subscribe {
                    items: self.items(items)?,
                    start: Some(now.plus_days(-days_ago).map_err(Refusal::from)?),
                    default_payment_method: card.and_then(|token| player.methods.get(token).copied()),
                    discount_code: coupon.map(str::to_owned),
                    ..Subscribe::default()
                };
                let customer = player.joined()?;
                let made = engine.subscribe(At::new(now, environment), customer, wanted).await?;
                player.subscriptions.insert(name, made.subscription.id);
                Ok(())
            }
            Act::Change { name, items, now: at_once } => {
                let when = if *at_once { ChangeTiming::Now } else { ChangeTiming::PeriodEnd };
                let adjust = Adjust { items: self.items(items)?, when };
                let id = player.subscription(name)?;
                engine.adjust(At::new(now, environment), id, adjust).await.map(drop)
            }
            Act::Cancel { name, when } => {
                let at = match when {
                    When::Now => CancelAt::Now,
                    When::PeriodEnd => CancelAt::PeriodEnd,
                    When::InDays(days) => CancelAt::Date(now.plus_days(*days).map_err(Refusal::from)?),
                };
                engine.cancel(At::new(now, environment), player.subscription(name)?, at).await.map(drop)
            }
            Act::KeepOn { name } => {
                engine.uncancel(At::new(now, environment), player.subscription(name)?).await.map(drop)
            }
            Act::MoveRenewal { name, days } => {
                self.reschedule_renewal(now, player.subscription(name)?, *days).await
            }
            Act::Buy { what, coupon } => self.buy(now, player, *what, *coupon).await,
            Act::Bill { lines, currency, memo, charge } => {
                let lines = lines.iter().map(|line| self.line(line, *currency)).collect::<Result<_, _>>()?;
                let customer = player.joined()?;
                let memo = memo.map(str::to_owned);
                let invoice =
                    engine.issue_invoice(At::new(now, environment), customer, lines, memo, *charge).await?;
                player.invoice = Some(invoice.full.invoice.id);
                Ok(())
            }
            Act::Withdraw => {
                let id = player.invoice.ok_or_else(|| Error::none_named(Kind::Invoice, "to withdraw"))?;
                engine.void_invoice(At::new(now, environment), id).await.map(drop)
            }
            Act::Pay { means, category, currency, amount } => {
                self.pay(now, player, *means, *category, *currency, *amount).await
            }
            Act::CorrectPayment(amount) => self.correct_payment(now, player, *amount).await,
            Act::TakeBackPayment => {
                let id = player.payment.ok_or_else(|| Error::none_named(Kind::Payment, "to take back"))?;
                engine.delete_payment(At::new(now, environment), id).await
            }
            Act::ChargeAgain => self.charge_again(now, player).await,
            Act::Refund(of, percent) => self.refund(now, player, *of, *percent).await,
            Act::Archive => {
                let edit = CustomerEdit { archived: Some(true), ..CustomerEdit::default() };
                let id = &player.person.external_id;
                engine.update_customer(At::new(now, environment), id, edit).await.map(drop)
            }
        }
    }

    async fn join(&self, now: Timestamp, player: &mut Player) -> Result<(), Error> {
        let (environment, person) = (self.shop.environment.number, &player.person);
        let place = person.place;
        let new = CustomerEdit {
            external_id: Some(person.external_id.clone()),
            name: Some(person.name.clone()),
            email: Some(person.email()),
            handle: person.handle.clone().map(Some),
            domain: person.handle.clone().map(Some),
            billing_address: Some(Some(Address {
                text: address_json(person),
                country: Some(place.country.to_owned()),
                state: place.state.map(str::to_owned),
            })),
            catalog_id: player.is_large.then_some(Some(self.shop.large_catalog)),
            zone: place.zone.map(|zone| Some(zone.to_owned())),
            ..CustomerEdit::default()
        };
        let customer = self.engine.create_customer(At::new(now, environment), new).await?;
        let (email, name) = (person.contact_email(), person.contact.clone());
        self.engine
            .customer_user(At::new(now, environment), &person.external_id, Some(email), Some(name), None)
            .await?;
        player.joined = Some(customer.id);
        Ok(())
    }

    async fn give_card(
        &self,
        now: Timestamp,
        player: &mut Player,
        token: &'static str,
        is_default: bool,
    ) -> Result<(), Error> {
        let environment = self.shop.environment.number;
        let customer = player.joined()?;
        let id = match player.methods.get(token) {
            Some(known) => *known,
            None => {
                let new = new_method(&player.person, token, is_default);
                self.engine.create_payment_method(At::new(now, environment), customer, new).await?.id
            }
        };
        player.methods.insert(token, id);
        Ok(())
    }

    async fn reschedule_renewal(&self, now: Timestamp, id: SubscriptionId, days: i64) -> Result<(), Error> {
        let environment = self.shop.environment.number;
        let subscription = self.engine.subscription(environment, id).await?;
        let end = subscription.period.end.plus_days(days).map_err(Refusal::from)?;
        self.engine.reschedule_renewal(At::new(now, environment), id, end).await.map(drop)
    }

    async fn buy(
        &self,
        now: Timestamp,
        player: &mut Player,
        what: Pick,
        coupon: Option<&'static str>,
    ) -> Result<(), Error> {
        let customer = player.joined()?;
        let item = self.item(what)?;
        let coupon = coupon.map(str::to_owned);
        let environment = self.shop.environment.number;
        let sold = self.engine.sell(At::new(now, environment), customer, item, None, None, coupon).await?;
        player.purchase = Some(sold.0.id);
        Ok(())
    }

    async fn pay(
        &self,
        now: Timestamp,
        player: &mut Player,
        means: PaymentChannel,
        category: Category,
        currency: Currency,
        amount: Option<i64>,
    ) -> Result<(), Error> {
        let customer = player.joined()?;
        let amount = match amount {
            Some(amount) => amount,
            None => {
                let open = self.invoices(customer, Some(InvoiceStatus::Open)).await?;
                open.iter().filter(|invoice| invoice.currency == currency).map(Invoice::owed).sum()
            }
        };
        if amount == 0 {
            return Ok(());
        }
        let new = NewManualPayment {
            category,
            amount: Money::new(amount, currency),
            means,
            paid_at: now,
            description: Some("Payment received".to_owned()),
            notes: (means == PaymentChannel::BankTransfer)
                .then(|| "Matched with the bank statement".to_owned()),
            receipt_image: (means != PaymentChannel::Card).then(|| receipt_json(now)),
            created_by: self.shop.owner,
        };
        let environment = self.shop.environment.number;
        let payment = self.engine.record_payment(At::new(now, environment), customer, new).await?;
        player.payment = Some(payment.payment.id);
        Ok(())
    }

    async fn correct_payment(&self, now: Timestamp, player: &Player, amount: i64) -> Result<(), Error> {
        let environment = self.shop.environment.number;
        let id = player.payment.ok_or_else(|| Error::none_named(Kind::Payment, "to correct"))?;
        let known = self.engine.payment(environment, id).await?;
        let edit = ManualPaymentEdit {
            amount: Some(Money::new(amount, known.currency)),
            notes: Some(Some("Two digits were swapped".to_owned())),
            ..ManualPaymentEdit::default()
        };
        self.engine.edit_payment(At::new(now, environment), id, edit).await.map(drop)
    }

    async fn charge_again(&self, now: Timestamp, player: &Player) -> Result<(), Error> {
        let open = self.invoices(player.joined()?, Some(InvoiceStatus::Open)).await?;
        match open.first() {
            Some(invoice) => {
                let environment = self.shop.environment.number;
                self.engine.retry_payment(At::new(now, environment), invoice.id).await.map(drop)
            }
            None => Ok(()),
        }
    }

    async fn refund(&self, now: Timestamp, player: &Player, of: Charged, percent: i64) -> Result<(), Error> {
        let (customer, environment) = (player.joined()?, self.shop.environment.number);
        let subscription = match of {
            Charged::Subscription(name) => Some(player.subscription(name)?),
            Charged::Purchase => None,
        };
        let is_meant = |invoice: &&Invoice| match of {
            Charged::Subscription(_) => invoice.subscription_id == subscription,
            Charged::Purchase => invoice.purchase_id == player.purchase && player.purchase.is_some(),
        };
        let paid = self.invoices(customer, Some(InvoiceStatus::Paid)).await?;
        let Some(invoice) = paid.iter().rfind(is_meant) else { return Ok(()) };
        let wanted = |payment: &Payment| {
            payment.status == PaymentStatus::Succeeded && payment.kind == PaymentKind::Automatic
        };
        let payments = self.engine.payments(environment, Of::Customer(customer), wanted, ALL).await?.rows;
        let charge =
            payments.iter().map(|row| &row.payment).find(|payment| payment.invoice_id == Some(invoice.id));
        let Some(charge) = charge else { return Ok(()) };
        let amount = (percent < 100).then_some((charge.amount * percent / 100).max(1));
        let reason = Some("requested_by_customer".to_owned());
        self.engine.refund(At::new(now, environment), charge.id, amount, reason).await.map(drop)
    }

    /// The customer's invoices, oldest first.
    async fn invoices(
        &self,
        customer: CustomerId,
        status: Option<InvoiceStatus>,
    ) -> Result<Vec<Invoice>, Error> {
        let environment = self.shop.environment.number;
        let page = self.engine.invoices(environment, Of::Customer(customer), status, ALL).await?;
        Ok(page.rows.into_iter().map(|row| row.full.invoice).collect())
    }

    fn items(&self, picks: &[Pick]) -> Result<Vec<SubscribeItem>, Error> {
        picks.iter().map(|pick| self.item(*pick)).collect()
    }

    fn item(&self, (slug, quantity): Pick) -> Result<SubscribeItem, Error> {
        let price =
            self.shop.prices.get(slug).copied().ok_or_else(|| Error::none_named(Kind::Price, slug))?;
        Ok(SubscribeItem { price, quantity })
    }

    fn line(&self, line: &StoryLine, currency: Currency) -> Result<NewLine, Error> {
        let product_id = match line.product {
            None => None,
            Some(slug) => {
                let id = self.shop.products.get(slug).copied();
                Some(id.ok_or_else(|| Error::none_named(Kind::Product, slug))?)
            }
        };
        Ok(NewLine {
            description: line.text.to_owned(),
            price_id: None,
            product_id,
            category: line.category,
            quantity: line.quantity,
            unit_price: Money::new(line.amount, currency),
            tax_behavior: TaxBehavior::Exclusive,
        })
    }
}

fn address(o: &mut Object<'_>, person: &Person) {
    let place = person.place;
    o.put("line1", person.street.as_str()).put("line2", None::<&str>);
    o.put("city", place.city).put("state", place.state);
    o.put("postal_code", place.postal_code).put("country", place.country);
}

fn address_json(person: &Person) -> String {
    object(|o| {
        o.put("name", person.name.as_str()).put("firstName", None::<&str>).put("lastName", None::<&str>);
        o.object("address", |o| address(o, person));
        o.put("phone", None::<&str>);
    })
}

fn new_method(person: &Person, token: &str, is_default: bool) -> NewPaymentMethod {
    let is_sepa = token == "tok_sepa";
    let details = object(|o| {
        o.put("name", person.contact.as_str()).put("email", person.contact_email().as_str());
        o.object("address", |o| {
            o.put("name", person.name.as_str());
            o.object("address", |o| address(o, person));
        });
    });
    let data = object(|o| {
        if is_sepa {
            o.put("bankCode", "37040044").put("last4", "3000");
        } else {
            let brand = if token == "tok_mastercard" { "mastercard" } else { "visa" };
            o.put("brand", brand).put("last4", "4242").number("expMonth", 12).number("expYear", 2034);
        }
    });
    NewPaymentMethod {
        kind: if is_sepa { PaymentMethodKind::SepaDebit } else { PaymentMethodKind::Card },
        token: token.to_owned(),
        is_default,
        billing_details: details,
        data,
        metadata: None,
    }
}

fn receipt_json(now: Timestamp) -> String {
    let path = format!("/uploads/receipts/{}.jpg", now.micros());
    object(|o| {
        o.put("url", format!("https://files.lark.example{path}").as_str()).put("path", path.as_str());
        o.number("width", 1_000).number("height", 1_400).number("sizeBytes", 48_000 + now.micros() % 9_000);
        o.put("contentType", "image/jpeg");
    })
}
