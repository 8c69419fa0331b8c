//! The registry of a program's models.

use cdms_odata::Value;
use datahub_model::conversion::Row;
use datahub_model::{Fault, ModelDescriptor};
use serde::Serialize;

/// The models that a hub serves, made by [`models!`](crate::models).
///
/// It serializes as the list of their mappings, so that a program can export them to other tools:
/// `serde_json::to_string_pretty(&models![Organisation, Contact])`. Defaults appear as their values,
/// a `with` module only as its attributes.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Models {
    descriptors: Vec<&'static ModelDescriptor>,
    /// For each of them, its type.
    #[serde(skip)]
    through: Vec<ThroughModel>,
}

/// Takes the values of a row through a model's type: the values that the type makes of them.
pub(crate) type ThroughModel = fn(&[Value]) -> Result<Row, Fault>;

impl Models {
    /// A registry of these mappings and types, after [`models!`](crate::models) has checked them against each other.
    pub(crate) fn of(descriptors: &[&'static ModelDescriptor], through: &[ThroughModel]) -> Self {
        Models { descriptors: descriptors.to_vec(), through: through.to_vec() }
    }

    /// The mappings in the order in which they were listed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static ModelDescriptor> {
        self.descriptors.iter().copied()
    }

    /// The mappings with their types.
    pub(crate) fn with_through(&self) -> impl Iterator<Item = (&'static ModelDescriptor, ThroughModel)> {
        self.iter().zip(self.through.iter().copied())
    }
}

/// Lists a program's models for [`HubBuilder::models`](crate::HubBuilder::models).
///
/// Two models on one table do not compile, nor do two on one entity if one of them has no `only`.
#[macro_export]
macro_rules! models {
    ($($model:ty),+ $(,)?) => {{
        const DESCRIPTORS: &[&'static $crate::__v1::ModelDescriptor] =
            &[$(<$model as $crate::CdmsSynced>::DESCRIPTOR),+];
        const _: () = $crate::__v1::models_do_not_clash(
            &[$((<$model as $crate::CdmsSynced>::DESCRIPTOR, <$model as $crate::__v1::Model>::IS_STUB)),+],
        );
        $crate::__v1::registry(DESCRIPTORS, &[$(<$model as $crate::CdmsSynced>::THROUGH),+])
    }};
}
