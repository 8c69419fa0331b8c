//! The registry of a program's models.

use datahub_model::ModelDescriptor;
use serde::Serialize;

/// The models that a hub serves, made by [`models!`](crate::models).
///
/// It serializes as the list of their mappings, so that a program can export them to other tools:
/// `serde_json::to_string_pretty(&models![Organisation, Contact])`. Defaults appear as their values,
/// a `with` module only as its attributes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Models(Vec<&'static ModelDescriptor>);

impl Models {
    /// A registry of these mappings, after [`models!`](crate::models) has checked them against each other.
    pub(crate) fn of(descriptors: &[&'static ModelDescriptor]) -> Self {
        Models(descriptors.to_vec())
    }

    /// The mappings in the order in which they were listed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static ModelDescriptor> {
        self.0.iter().copied()
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
        $crate::__v1::registry(DESCRIPTORS)
    }};
}
