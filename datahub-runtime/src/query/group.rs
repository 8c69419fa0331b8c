//! The handles of a group's members, for derived code: where their columns are, and what stands in for the handles of a
//! type that is no group.

use std::marker::PhantomData;

use super::Field;
use crate::CdmsFields;

/// Where a group's columns are.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct GroupAt<'a> {
    first: usize,
    members: &'a [&'a str],
    around: Option<&'a GroupAt<'a>>,
    key: &'a str,
}

impl<'a> GroupAt<'a> {
    /// A group whose members' columns begin at the first one.
    pub const fn new(first: usize, members: &'a [&'a str]) -> Self {
        GroupAt { first, members, around: None, key: "" }
    }

    /// A group within this one.
    pub const fn group(&'a self, key: &'a str) -> Self {
        GroupAt { first: self.first, members: self.members, around: Some(self), key }
    }

    /// A member's field. If the contract's group does not have it, which is reported elsewhere, the field has no column.
    pub const fn member<M, V>(&self, key: &str) -> Field<M, V> {
        let mut place = 0;
        while place < self.members.len() {
            if self.is_path(self.members[place].as_bytes(), key) {
                return Field::at(self.first + place);
            }
            place += 1;
        }
        Field::at(usize::MAX)
    }

    /// Whether a path of keys, separated by dots, is this key within the groups around it.
    const fn is_path(&self, path: &[u8], key: &str) -> bool {
        let Some(rest) = without_end(path, key.as_bytes()) else { return false };
        match self.around {
            None => rest.is_empty(),
            Some(around) => match without_end(rest, b".") {
                Some(rest) => around.is_path(rest, self.key),
                None => false,
            },
        }
    }
}

/// What comes before an end.
const fn without_end<'p>(path: &'p [u8], end: &[u8]) -> Option<&'p [u8]> {
    if path.len() < end.len() {
        return None;
    }
    let (rest, found) = path.split_at(path.len() - end.len());
    let mut place = 0;
    while place < end.len() {
        if found[place] != end[place] {
            return None;
        }
        place += 1;
    }
    Some(rest)
}

/// The type of the handles of a group in a model. A type that is no group is reported where the group is checked, and not
/// here as well.
#[doc(hidden)]
#[macro_export]
macro_rules! __group_handles {
    ($group:ty, $model:ty) => {
        <$crate::__v1::Handles<
            {
                use $crate::__v1::NoGroup as _;
                $crate::__v1::Probe::<$group>::IS_GROUP
            },
        > as $crate::__v1::HandlesOf<$group>>::Fields<$model>
    };
}

/// Finds out whether a type is a group: the constant of the type itself is preferred to that of the trait.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<G>(PhantomData<G>);

impl<G: CdmsFields> Probe<G> {
    /// It is one.
    pub const IS_GROUP: bool = true;
}

/// What holds of a type that is no group.
#[doc(hidden)]
pub trait NoGroup {
    /// It is none.
    const IS_GROUP: bool = false;
}

impl<G> NoGroup for Probe<G> {}

/// The handles of a type, if it is a group.
#[doc(hidden)]
#[derive(Debug)]
pub struct Handles<const IS_GROUP: bool>;

/// The handles of a type that is a group or not.
#[doc(hidden)]
pub trait HandlesOf<G> {
    /// The handles as fields of a model.
    type Fields<M>;
}

impl<G: CdmsFields> HandlesOf<G> for Handles<true> {
    type Fields<M> = G::Fields<M>;
}

impl<G> HandlesOf<G> for Handles<false> {
    type Fields<M> = NoHandles;
}

/// Replaces the handles of a type that is no group.
#[doc(hidden)]
#[derive(Debug)]
pub struct NoHandles;

impl NoHandles {
    /// As the handles of a group are made.
    pub const fn __at(_: GroupAt<'_>) -> Self {
        NoHandles
    }
}

#[cfg(test)]
mod tests {
    use super::GroupAt;
    use crate::query::Field;

    #[test]
    fn a_member_is_found_by_its_whole_path() {
        const MEMBERS: &[&str] = &["town", "street.town", "street.house.town", "street.house.n"];
        const AROUND: GroupAt<'_> = GroupAt::new(7, MEMBERS);
        const STREET: GroupAt<'_> = AROUND.group("street");
        let house = STREET.group("house");
        let column = |field: Field<(), ()>| field.column();
        assert_eq!([AROUND, STREET, house].map(|at| column(at.member("town"))), [7, 8, 9]);
        assert_eq!(column(house.member("n")), 10);
        for missing in [AROUND.member("n"), STREET.member("own"), AROUND.group("treet").member("town")] {
            assert_eq!(column(missing), usize::MAX);
        }
    }
}
