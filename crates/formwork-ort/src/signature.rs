//! What does a model file take and give? Read from the session, in the naming that exporters share.

use std::path::Path;

use ort::session::Session;
use ort::value::Outlet;
use ort::value::TensorElementType;

use crate::error::LoadError;
use crate::onnx::ElementType;

pub(crate) const INPUT_IDS: &str = "input_ids";
pub(crate) const ATTENTION_MASK: &str = "attention_mask";
pub(crate) const POSITION_IDS: &str = "position_ids";
pub(crate) const LOGITS: &str = "logits";
const PAST: &str = "past_key_values.";
const PRESENT: &str = "present.";

/// One tensor of the cache: what goes in, and what comes out to go in again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CacheSlot {
    pub(crate) past: String,
    pub(crate) present: String,
    pub(crate) ty: TensorElementType,
    pub(crate) n_heads: usize,
    pub(crate) head_dim: usize,
}

impl CacheSlot {
    /// The shape of `n_lanes` rows that hold `n_positions` each.
    pub(crate) fn shape(&self, n_lanes: usize, n_positions: usize) -> [i64; 4] {
        [n_lanes, self.n_heads, n_positions, self.head_dim].map(|size| size as i64)
    }

    pub(crate) fn element_type(&self) -> ElementType {
        match self.ty {
            TensorElementType::Float16 => ElementType::F16,
            _ => ElementType::F32,
        }
    }
}

/// The inputs and outputs of a decoder with a cache.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) has_attention_mask: bool,
    pub(crate) has_position_ids: bool,
    pub(crate) cache: Vec<CacheSlot>,
    pub(crate) logits_type: ElementType,
    pub(crate) width: usize,
}

impl Signature {
    /// Reads the signature of a session; `width` is what the configuration says, for files that leave it open.
    pub(crate) fn of(session: &Session, path: &Path, width: Option<usize>) -> Result<Signature, LoadError> {
        let reader = Reader { session, path };
        let mut signature = Signature {
            has_attention_mask: false,
            has_position_ids: false,
            cache: Vec::new(),
            logits_type: reader.logits_type()?,
            width: reader.width(width)?,
        };
        let mut has_ids = false;
        for input in session.inputs() {
            match input.name() {
                INPUT_IDS => has_ids = reader.check_whole_numbers(input)?,
                ATTENTION_MASK => signature.has_attention_mask = reader.check_whole_numbers(input)?,
                POSITION_IDS => signature.has_position_ids = reader.check_whole_numbers(input)?,
                name if name.starts_with(PAST) => signature.cache.push(reader.cache_slot(input)?),
                name => return Err(reader.unsupported(format!("it takes an input {name}, whose use is not known"))),
            }
        }
        if !has_ids {
            return Err(reader.unsupported(format!("it takes no input {INPUT_IDS}")));
        }
        if signature.cache.is_empty() {
            return Err(reader.unsupported(format!("it takes no {PAST}N.key: a decoder with a cache is needed")));
        }
        Ok(signature)
    }
}

struct Reader<'a> {
    session: &'a Session,
    path: &'a Path,
}

impl Reader<'_> {
    fn unsupported(&self, reason: String) -> LoadError {
        LoadError::unsupported(self.path, reason)
    }

    fn output(&self, name: &str) -> Result<&Outlet, LoadError> {
        let output = self.session.outputs().iter().find(|output| output.name() == name);
        output.ok_or_else(|| self.unsupported(format!("it gives no output {name}")))
    }

    fn check_whole_numbers(&self, input: &Outlet) -> Result<bool, LoadError> {
        match input.dtype().tensor_type() {
            Some(TensorElementType::Int64) => Ok(true),
            _ => Err(self.unsupported(format!("{} is {}, not a tensor of int64", input.name(), input.dtype()))),
        }
    }

    fn check_floats(&self, outlet: &Outlet) -> Result<TensorElementType, LoadError> {
        match outlet.dtype().tensor_type() {
            Some(ty @ (TensorElementType::Float32 | TensorElementType::Float16)) => Ok(ty),
            _ => Err(self.unsupported(format!("{} is {}, not a tensor of f32 or f16", outlet.name(), outlet.dtype()))),
        }
    }

    fn logits_type(&self) -> Result<ElementType, LoadError> {
        Ok(match self.check_floats(self.output(LOGITS)?)? {
            TensorElementType::Float16 => ElementType::F16,
            _ => ElementType::F32,
        })
    }

    fn width(&self, configured: Option<usize>) -> Result<usize, LoadError> {
        let shape = self.output(LOGITS)?.dtype().tensor_shape();
        let declared = shape.filter(|shape| shape.len() == 3).and_then(|shape| size(shape[2]));
        declared.or(configured).filter(|&width| width > 0).ok_or_else(|| {
            self.unsupported("neither the file nor config.json (vocab_size) says how many logits it gives".to_owned())
        })
    }

    fn cache_slot(&self, input: &Outlet) -> Result<CacheSlot, LoadError> {
        let past = input.name().to_owned();
        let ty = self.check_floats(input)?;
        let shape = input.dtype().tensor_shape().filter(|shape| shape.len() == 4);
        let sizes = shape.and_then(|shape| Some((size(shape[1])?, size(shape[3])?)));
        let Some((n_heads, head_dim)) = sizes else {
            let reason = format!("{past} is {}, not (batch, heads, positions, head size)", input.dtype());
            return Err(self.unsupported(reason));
        };
        let present = format!("{PRESENT}{}", &past[PAST.len()..]);
        if self.check_floats(self.output(&present)?)? != ty {
            return Err(self.unsupported(format!("{past} and {present} are of different types")));
        }
        Ok(CacheSlot { past, present, ty, n_heads, head_dim })
    }
}

/// A dimension that the file fixes.
fn size(dim: i64) -> Option<usize> {
    usize::try_from(dim).ok().filter(|&size| size > 0)
}
