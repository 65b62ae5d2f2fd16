//! What can be said about an instance? The normal form of schemas: alternatives for each JSON type.
//!
//! A [`Union`] lists, type by type, alternative shapes; an instance is valid when it fits one of them. The shapes of
//! arrays and objects hold their children as conjunctions ([`ConjId`]) that are reduced only when somebody asks, which
//! is what makes recursion safe. Shapes are closed under union, intersection and complement: the complement of "all of
//! these fit" is an obligation, "one of these does not". What a shape cannot say (and the grammar could not enforce)
//! stays with it as a residue: it matters only if the shape is still there at the end.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::automata::{Decimal, NumberForm, NumberSpec, StringSpec};

/// A conjunction of schemas, interned by [`super::reduce::Reducer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ConjId(pub(super) u32);

impl ConjId {
    /// The empty conjunction, which everything fits.
    pub(super) const TRUE: ConjId = ConjId(0);
    /// What nothing fits.
    pub(super) const FALSE: ConjId = ConjId(1);
}

/// A constraint that cannot be enforced, see [`super::reduce::Reducer::residue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ResidueId(pub(super) u32);

/// Constraints that a shape is under beside what it says.
pub(super) type Residues = Vec<ResidueId>;

/// A pattern of keys, interned by [`super::reduce::Reducer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PatternId(pub(super) u32);

/// The keys that one or several schema objects speak of by name or pattern, interned by
/// [`super::reduce::Reducer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OwnerId(pub(super) u32);

/// A language of keys, interned by [`super::reduce::Reducer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyLanguageId(pub(super) u32);

/// The alternatives for one JSON type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Alternatives<T> {
    /// Every instance of the type.
    Any,
    /// What fits one of these.
    Of(SmallVec<[Rc<T>; 1]>),
}

impl<T> Alternatives<T> {
    pub(super) fn none() -> Alternatives<T> {
        Alternatives::Of(SmallVec::new())
    }

    pub(super) fn one(shape: T) -> Alternatives<T> {
        Alternatives::Of(SmallVec::from_elem(Rc::new(shape), 1))
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Alternatives::Of(shapes) if shapes.is_empty())
    }

    pub(super) fn is_any(&self) -> bool {
        matches!(self, Alternatives::Any)
    }

    pub(super) fn shapes(&self) -> &[Rc<T>] {
        match self {
            Alternatives::Any => &[],
            Alternatives::Of(shapes) => shapes,
        }
    }

    /// How many alternatives there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Alternatives::Any => 1,
            Alternatives::Of(shapes) => shapes.len(),
        }
    }
}

/// A set of instances.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Union<'a> {
    pub(super) null: bool,
    /// Whether `false` and `true` are in it.
    pub(super) booleans: [bool; 2],
    pub(super) numbers: Alternatives<NumberShape<'a>>,
    pub(super) strings: Alternatives<StringShape<'a>>,
    pub(super) arrays: Alternatives<ArrayShape>,
    pub(super) objects: Alternatives<ObjectShape<'a>>,
}

impl<'a> Union<'a> {
    /// What in its shapes cannot be enforced.
    pub(super) fn residues(&self) -> Vec<ResidueId> {
        let numbers = self.numbers.shapes().iter().flat_map(|shape| &shape.residues);
        let strings = self.strings.shapes().iter().flat_map(|shape| &shape.residues);
        let arrays = self.arrays.shapes().iter().flat_map(|shape| &shape.residues);
        let objects = self.objects.shapes().iter().flat_map(|shape| &shape.residues);
        numbers.chain(strings).chain(arrays).chain(objects).copied().collect()
    }

    /// Every instance.
    pub(super) fn any() -> Union<'a> {
        Union {
            null: true,
            booleans: [true, true],
            numbers: Alternatives::Any,
            strings: Alternatives::Any,
            arrays: Alternatives::Any,
            objects: Alternatives::Any,
        }
    }

    /// No instance.
    pub(super) fn none() -> Union<'a> {
        Union {
            null: false,
            booleans: [false, false],
            numbers: Alternatives::none(),
            strings: Alternatives::none(),
            arrays: Alternatives::none(),
            objects: Alternatives::none(),
        }
    }

    /// Whether it is every instance, on the face of it.
    pub(super) fn is_any(&self) -> bool {
        self.null
            && self.booleans == [true, true]
            && self.numbers.is_any()
            && self.strings.is_any()
            && self.arrays.is_any()
            && self.objects.is_any()
    }

    /// Whether it is every string and nothing else, on the face of it.
    pub(super) fn is_any_string(&self) -> bool {
        self.strings.is_any()
            && !self.null
            && self.booleans == [false, false]
            && self.numbers.is_none()
            && self.arrays.is_none()
            && self.objects.is_none()
    }

    /// Whether it is no instance, on the face of it.
    pub(super) fn is_none(&self) -> bool {
        !self.null && self.booleans == [false, false] && self.n_composite() == 0
    }

    fn n_composite(&self) -> usize {
        self.numbers.count() + self.strings.count() + self.arrays.count() + self.objects.count()
    }

    /// How much a product with it multiplies.
    pub(super) fn weight(&self) -> usize {
        self.n_composite() + usize::from(self.null) + usize::from(self.booleans[0]) + usize::from(self.booleans[1])
    }

    /// How many instances there are, where it is plain that they are few.
    pub(super) fn n_values(&self) -> Option<usize> {
        self.is_finite_scalar().then(|| {
            let numbers = self.numbers.shapes().iter().map(|shape| match &shape.set {
                NumberSet::Finite(numbers) => numbers.len(),
                NumberSet::Spec(_) => 0,
            });
            let strings = self.strings.shapes().iter().map(|shape| match &shape.set {
                StringSet::Finite(words) => words.len(),
                StringSet::Spec(_) => 0,
            });
            let scalars = [self.null, self.booleans[0], self.booleans[1]].into_iter().filter(|there| *there).count();
            scalars + numbers.sum::<usize>() + strings.sum::<usize>()
        })
    }

    /// Whether it holds finitely many scalars and nothing else, without any residue.
    pub(super) fn is_finite_scalar(&self) -> bool {
        let finite_number = |shape: &Rc<NumberShape<'a>>| matches!(shape.set, NumberSet::Finite(_));
        let finite_string = |shape: &Rc<StringShape<'a>>| matches!(shape.set, StringSet::Finite(_));
        self.arrays.is_none()
            && self.objects.is_none()
            && !self.numbers.is_any()
            && !self.strings.is_any()
            && self.numbers.shapes().iter().all(finite_number)
            && self.strings.shapes().iter().all(finite_string)
    }
}

/// A number with the spelling that it is written in.
#[derive(Clone, Debug)]
pub(super) struct NumberLiteral<'a> {
    pub(super) value: Decimal,
    pub(super) text: Cow<'a, str>,
    /// Which of its spellings count.
    pub(super) form: NumberForm,
}

impl PartialEq for NumberLiteral<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.form == other.form
    }
}

impl<'a> NumberLiteral<'a> {
    /// The number where only spellings of `form` count, too; `None` where it has none.
    pub(super) fn in_form(&self, form: NumberForm) -> Option<NumberLiteral<'a>> {
        if form == NumberForm::Free || form == self.form {
            return Some(self.clone());
        }
        if self.form != NumberForm::Free || (form == NumberForm::Digits && !self.value.is_integer()) {
            return None;
        }
        let is_digits = !self.text.contains(['.', 'e', 'E']);
        let text = match form {
            NumberForm::Digits if !is_digits => Cow::Owned(self.value.whole_text()),
            NumberForm::NotDigits if is_digits => Cow::Owned(format!("{}.0", self.text)),
            _ => self.text.clone(),
        };
        Some(NumberLiteral { value: self.value.clone(), text, form })
    }
}

/// A set of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NumberSet<'a> {
    Finite(Vec<NumberLiteral<'a>>),
    Spec(NumberSpec),
}

/// One alternative for numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NumberShape<'a> {
    pub(super) set: NumberSet<'a>,
    pub(super) residues: Residues,
}

/// A set of strings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StringSet<'a> {
    Finite(Vec<Cow<'a, str>>),
    Spec(StringSpec),
}

/// One alternative for strings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StringShape<'a> {
    pub(super) set: StringSet<'a>,
    pub(super) residues: Residues,
}

/// One alternative for arrays.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArrayShape {
    /// What the first elements must fit.
    pub(super) prefix: Vec<ConjId>,
    /// What the others must fit.
    pub(super) rest: ConjId,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    /// Whether no two elements may be equal.
    pub(super) unique: bool,
    /// Whether two elements must be equal; that cannot be enforced, and a residue says so.
    pub(super) repeats: bool,
    /// "So many elements fit this".
    pub(super) contains: Vec<Contains>,
    pub(super) residues: Residues,
}

impl ArrayShape {
    pub(super) fn any() -> ArrayShape {
        ArrayShape {
            prefix: Vec::new(),
            rest: ConjId::TRUE,
            min: 0,
            max: None,
            unique: false,
            repeats: false,
            contains: Vec::new(),
            residues: Vec::new(),
        }
    }

    /// What the element at `index` must fit.
    pub(super) fn element(&self, index: usize) -> ConjId {
        self.prefix.get(index).copied().unwrap_or(self.rest)
    }
}

/// How many of an array's elements must fit something.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contains {
    /// The first element that counts.
    pub(super) start: u32,
    pub(super) element: ConjId,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
}

/// One alternative for objects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectShape<'a> {
    /// The keys that are spoken of by name, in the order in which they are to be written. Forbidden keys stay in the
    /// list: every name that an owner of a rule speaks of is here.
    pub(super) named: Vec<Named<'a>>,
    /// What the values of all keys of a class must fit.
    pub(super) rules: SmallVec<[KeyRule; 2]>,
    /// "Some key of a class has a value that fits".
    pub(super) exists: SmallVec<[KeyRule; 1]>,
    /// What must hold of which keys are there.
    pub(super) presence: Vec<Clause<'a>>,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) residues: Residues,
}

impl ObjectShape<'_> {
    pub(super) fn any() -> Self {
        ObjectShape {
            named: Vec::new(),
            rules: SmallVec::new(),
            exists: SmallVec::new(),
            presence: Vec::new(),
            min: 0,
            max: None,
            residues: Vec::new(),
        }
    }
}

/// A key that is spoken of by name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named<'a> {
    pub(super) key: &'a str,
    /// What its value must fit, beside the rules whose class holds the key.
    pub(super) value: ConjId,
    pub(super) required: bool,
    /// The owner whose names hold this key, if one is known: a short cut for the question whether they do.
    pub(super) owner: Option<OwnerId>,
}

/// Any of these must hold: the key is there (`true`), or is not. Sorted, without duplicates.
pub(super) type Clause<'a> = SmallVec<[(&'a str, bool); 2]>;

/// A class of keys, and what values must fit: all of them, or (in [`ObjectShape::exists`]) one of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeyRule {
    pub(super) class: KeyClass,
    pub(super) value: ConjId,
}

/// A class of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum KeyClass {
    /// Every key.
    All,
    /// The keys in which the pattern is found.
    Pattern(PatternId),
    /// The keys that the owner speaks of neither by name nor by pattern.
    Except(OwnerId),
    /// The keys that are in none of some languages, see `propertyNames`.
    Outside(KeyLanguageId),
}

/// The keys that schema objects speak of.
#[derive(Clone, Debug, Default)]
pub(super) struct Owner<'a> {
    pub(super) names: SmallVec<[&'a Map<String, Value>; 1]>,
    pub(super) patterns: SmallVec<[PatternId; 2]>,
}
