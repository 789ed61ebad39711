//! The story from its beginning to its end.

use super::chance::Chance;
use super::plan::DemoPlan;
use super::script::{Act, HOUR};
use super::shop;
use super::stage::{Player, Stage};
use billing::environment::DunningEnd;
use billing::timestamp::Timestamp;
use engine::{Engine, Error};

/// From one run of what is due to the next, in seconds.
const STEP: i64 = 3 * HOUR;

/// Builds a demo in empty books. The same plan makes the same books; `progress` is told how far it is,
/// in seconds of simulated time done and in all. Returns how many acts the rules of the business refused.
///
/// # Errors
/// If the store fails.
pub async fn build(engine: &Engine, plan: DemoPlan, progress: &dyn Fn(u64, u64)) -> Result<u64, Error> {
    let span = plan.span()?;
    let mut shop = shop::open(engine, span.start).await?;
    let mut players = Vec::new();
    let mut scenes: Vec<(Timestamp, usize, Act)> = Vec::new();
    for (index, role) in plan.roles(span).into_iter().enumerate() {
        scenes.extend(role.scenes.into_iter().map(|(at, act)| (at, index, act)));
        players.push(Player::new(role.person, role.is_large));
    }
    // Stable: a customer's acts at one instant stay in their order.
    scenes.sort_by_key(|(at, index, _)| (*at, *index));
    let mut scenes = scenes.into_iter().peekable();
    let mut chance = Chance::about(plan.seed(), 0);
    let mut refused = 0;
    let environment = shop.environment.number;
    let half = span.start.seconds() + span.seconds() / 2;
    let mut step = span.start.seconds();
    while step < span.end.seconds() {
        step = (step + STEP).min(span.end.seconds());
        // The nightly job of a real server starts a little late, too; but the last step is the end itself.
        let late = if step == span.end.seconds() { 0 } else { chance.between(1_000_000, 59_999_999) };
        let now = Timestamp::from_micros(step * 1_000_000 + late);
        while let Some((at, index, act)) = scenes.next_if(|(at, ..)| *at <= now) {
            let stage = Stage { engine, shop: &shop };
            refused += u64::from(!play(&stage, at, &mut players[index], &act).await?);
        }
        engine.run_due(environment, now).await?;
        if step >= half && shop.environment.dunning.end != DunningEnd::Cancel {
            shop.ends_dunning_by(engine, now, DunningEnd::Cancel).await?;
        }
        let done = step - span.start.seconds();
        progress(done.unsigned_abs(), span.seconds().unsigned_abs());
    }
    engine.set_clock(environment, span.end).await?;
    Ok(refused)
}

/// Plays one act and says whether the rules of the business allowed it.
async fn play(stage: &Stage<'_>, at: Timestamp, player: &mut Player, act: &Act) -> Result<bool, Error> {
    match stage.play(at, player, act).await {
        Ok(()) => Ok(true),
        Err(Error::Refused(refusal)) => {
            tracing::debug!(%refusal, ?act, "not allowed");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
