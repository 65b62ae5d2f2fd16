//! Which texts are dates, times and durations? RFC 3339, its appendix A for durations.

const DATE: &str = concat!(
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])",
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)",
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))",
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
);
/// Any minute may seem to have a second 60; [`leap_minutes`] and [`leap_hours`] say which have.
const TIME: &str = concat!(
    "(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]+)?",
    "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
);
/// Leap seconds with their fraction, and seconds that are none with what follows.
const LEAP: &str = "60[.0-9]*";
const NO_LEAP: &str = "[0-5].*";

pub(super) fn date() -> String {
    DATE.to_owned()
}

/// All of these hold of a time.
pub(super) fn time() -> Vec<String> {
    [vec![TIME.to_owned()], leap_minutes(""), vec![leap_hours("")]].concat()
}

/// All of these hold of a date and time.
pub(super) fn date_time() -> Vec<String> {
    let before = ".{11}";
    [vec![format!("{DATE}[Tt]{TIME}")], leap_minutes(before), vec![leap_hours(before)]].concat()
}

/// A leap second ends the minute 23:59 of universal time: what that says of the local minute, digit by digit. To the west
/// both digits add up to those of 59; to the east the minute is the one before that of the offset.
fn leap_minutes(before: &str) -> Vec<String> {
    let rest = |cases: Vec<String>| format!("{before}..:(?:..:{NO_LEAP}|59:{LEAP}[Zz]|{})", cases.join("|"));
    let units = (0..10).map(|unit| {
        let (east, west) = ((unit + 1) % 10, 9 - unit);
        format!(".{unit}:{LEAP}(?:\\+..:.{east}|-..:.{west})")
    });
    let tens = (0..6).map(|ten| {
        let (carried, west) = ((ten + 1) % 6, 5 - ten);
        format!("{ten}(?:[0-8]:{LEAP}\\+..:{ten}.|9:{LEAP}\\+..:{carried}.|.:{LEAP}-..:{west}.)")
    });
    vec![rest(units.collect()), rest(tens.collect())]
}

/// The same of the local hour: an offset of whole hours to the east ends the hour before, others the same hour.
fn leap_hours(before: &str) -> String {
    let mut cases = vec![format!("..:..:{NO_LEAP}"), format!("23:..:{LEAP}[Zz]")];
    for hour in 0..24 {
        let (whole_east, west) = ((hour + 1) % 24, 23 - hour);
        let east = format!("\\+(?:{whole_east:02}:00|{hour:02}:(?:[1-5][0-9]|0[1-9]))");
        cases.push(format!("{hour:02}:..:{LEAP}(?:{east}|-{west:02}:..)"));
    }
    format!("{before}(?:{})", cases.join("|"))
}

pub(super) fn duration() -> String {
    const N: &str = "[0-9]+";
    let time = format!("T(?:{N}H(?:{N}M(?:{N}S)?)?|{N}M(?:{N}S)?|{N}S)");
    format!("P(?:{N}W|(?:{N}D|{N}M(?:{N}D)?|{N}Y(?:{N}M(?:{N}D)?)?)(?:{time})?|{time})")
}
