//! How does a model read more positions than it was first trained on? By rope frequencies that are scaled down.

use std::f64::consts::PI;

use crate::config::{MAX_WIDTH, ModelConfig};
use crate::error::LoadError;
use crate::fields::Fields;

/// How the frequencies of a rope are changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RopeScaling {
    None,
    /// All are divided.
    Linear {
        factor: f64,
    },
    /// Low frequencies are divided and high ones stay. Between `low_turns` and `high_turns` over the original context,
    /// they are blended by their number of turns.
    Llama3 {
        factor: f64,
        low_turns: f64,
        high_turns: f64,
        original_context: f64,
    },
    /// The same, blended by their place among the frequencies. Peng et al., "YaRN".
    Yarn {
        factor: f64,
        low_turns: f64,
        high_turns: f64,
        original_context: f64,
        /// What cosine and sine are multiplied by.
        magnitude: f64,
        /// Whether the blend starts and ends at whole places.
        is_whole: bool,
    },
}

impl RopeScaling {
    /// What `rope_scaling` says; a kind that cannot be computed exactly is refused.
    pub(crate) fn read(config: &ModelConfig) -> Result<RopeScaling, LoadError> {
        let Some(fields) = config.fields.object("rope_scaling")? else { return Ok(RopeScaling::None) };
        match fields.text("rope_type", fields.text("type", "of no type")?)? {
            "default" => Ok(RopeScaling::None),
            "linear" => Ok(RopeScaling::Linear { factor: fields.number("factor")? }),
            "llama3" => read_llama3(&fields),
            "yarn" => read_yarn(&fields, config),
            kind => Err(fields.unsupported(format!("rope scaling {}", kind.chars().take(40).collect::<String>()))),
        }
    }

    /// Scales `frequencies`, the powers of `theta` from 0 to −1.
    pub(crate) fn apply(self, frequencies: &mut [f64], theta: f64) {
        match self {
            RopeScaling::None => {}
            RopeScaling::Linear { factor } => frequencies.iter_mut().for_each(|frequency| *frequency /= factor),
            RopeScaling::Llama3 { factor, low_turns, high_turns, original_context } => {
                for frequency in frequencies {
                    let turns = original_context * *frequency / (2.0 * PI);
                    *frequency = blend(*frequency, factor, (turns - low_turns) / (high_turns - low_turns));
                }
            }
            RopeScaling::Yarn { factor, low_turns, high_turns, original_context, is_whole, .. } => {
                let n = frequencies.len() as f64;
                // Which of the frequencies makes so many turns, as a fraction.
                let place = |turns: f64| n * (original_context / (turns * 2.0 * PI)).ln() / theta.ln();
                let (high, low) = (place(high_turns), place(low_turns));
                let (high, low) = if is_whole { (high.floor(), low.ceil()) } else { (high, low) };
                let (high, low) = (high.max(0.0), low.min(2.0 * n - 1.0));
                let width = if high == low { 0.001 } else { low - high };
                for (i, frequency) in frequencies.iter_mut().enumerate() {
                    *frequency = blend(*frequency, factor, 1.0 - (i as f64 - high) / width);
                }
            }
        }
    }

    /// What cosine and sine are multiplied by.
    pub(crate) fn magnitude(self) -> f64 {
        if let RopeScaling::Yarn { magnitude, .. } = self { magnitude } else { 1.0 }
    }
}

/// The frequency where `kept` is 1 or more, its part where it is 0 or less.
fn blend(frequency: f64, factor: f64, kept: f64) -> f64 {
    let kept = kept.clamp(0.0, 1.0);
    kept * frequency + (1.0 - kept) * frequency / factor
}

fn read_llama3(fields: &Fields) -> Result<RopeScaling, LoadError> {
    let (low_turns, high_turns) = (fields.number("low_freq_factor")?, fields.number("high_freq_factor")?);
    if low_turns >= high_turns {
        return Err(fields.out_of_range("low_freq_factor", "below high_freq_factor"));
    }
    let original_context = fields.number("original_max_position_embeddings")?;
    Ok(RopeScaling::Llama3 { factor: fields.number("factor")?, low_turns, high_turns, original_context })
}

fn read_yarn(fields: &Fields, config: &ModelConfig) -> Result<RopeScaling, LoadError> {
    if let Some(name) = ["mscale", "mscale_all_dim"].into_iter().find(|name| fields.get(name).is_some()) {
        return Err(fields.unsupported(format!("rope scaling yarn with {name}")));
    }
    let factor = fields.number("factor")?;
    let n_positions = config.fields.size("max_position_embeddings", MAX_WIDTH)?;
    Ok(RopeScaling::Yarn {
        factor,
        low_turns: fields.number_or("beta_slow", 1.0)?,
        high_turns: fields.number_or("beta_fast", 32.0)?,
        original_context: fields.number_or("original_max_position_embeddings", n_positions as f64)?,
        magnitude: fields.number_or("attention_factor", 1.0 + 0.1 * factor.max(1.0).ln())?,
        is_whole: fields.flag("truncate", true)?,
    })
}
