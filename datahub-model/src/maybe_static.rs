//! Data that is either in a static or created at run time.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

/// Like [`Cow`](std::borrow::Cow) for data in a static, except that owned data is boxed. Therefore a type can contain
/// values of its own type, and a constant of it can be written with variant names alone.
///
/// It dereferences to the data, and compares, prints and serializes like it.
pub enum MaybeStatic<T: ?Sized + 'static> {
    /// In a static.
    Static(&'static T),
    /// Created at run time.
    Boxed(Box<T>),
}

impl<T: ?Sized> Deref for MaybeStatic<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            MaybeStatic::Static(held) => held,
            MaybeStatic::Boxed(held) => held,
        }
    }
}

impl<T: ?Sized> Clone for MaybeStatic<T>
where
    Box<T>: Clone,
{
    fn clone(&self) -> Self {
        match self {
            MaybeStatic::Static(held) => MaybeStatic::Static(held),
            MaybeStatic::Boxed(held) => MaybeStatic::Boxed(held.clone()),
        }
    }
}

impl<T: ?Sized + PartialEq> PartialEq for MaybeStatic<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MaybeStatic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + Serialize> Serialize for MaybeStatic<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<T: ?Sized> From<&'static T> for MaybeStatic<T> {
    fn from(held: &'static T) -> Self {
        MaybeStatic::Static(held)
    }
}

impl<T> From<T> for MaybeStatic<T> {
    fn from(held: T) -> Self {
        MaybeStatic::Boxed(Box::new(held))
    }
}

impl<T> From<Vec<T>> for MaybeStatic<[T]> {
    fn from(held: Vec<T>) -> Self {
        MaybeStatic::Boxed(held.into())
    }
}

impl From<String> for MaybeStatic<str> {
    fn from(held: String) -> Self {
        MaybeStatic::Boxed(held.into())
    }
}

#[cfg(test)]
mod tests {
    use super::MaybeStatic;

    #[test]
    fn static_and_boxed_data_behave_alike() {
        let (fixed, made): (MaybeStatic<str>, MaybeStatic<str>) = ("a".into(), "a".to_owned().into());
        assert!(matches!((&fixed, &made), (MaybeStatic::Static(_), MaybeStatic::Boxed(_))));
        assert_eq!(fixed, made);
        assert_eq!(format!("{fixed:?} {:?}", made.clone()), r#""a" "a""#);
        assert_ne!(made, MaybeStatic::Static("b"));
        let numbers: MaybeStatic<[u8]> = vec![1, 2].into();
        assert_eq!(numbers, MaybeStatic::Static([1, 2].as_slice()));
        assert_eq!((numbers.len(), *MaybeStatic::from(7_u8)), (2, 7));
    }
}
