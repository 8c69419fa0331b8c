//! The conversion of a record from CDMS's JSON to its model and back, as in a read and a create.

use std::marker::PhantomData;

use cdms_odata::crm2011::json;
use cdms_odata::{Attributes, Facts, Kind, Value};
use datahub_model::conversion;
use datahub_runtime::{CdmsSynced, RowReader, RowWriter};

use crate::records::Record;

pub(crate) struct Route<T> {
    shape: Vec<(&'static str, Kind)>,
    model: PhantomData<T>,
}

impl<T: CdmsSynced> Route<T> {
    pub(crate) fn new() -> Self {
        Route { shape: crate::records::shape(T::DESCRIPTOR), model: PhantomData }
    }

    /// The model of an answer, and the attributes from which it was made.
    pub(crate) fn read(&self, answer: &[u8]) -> (Attributes, T) {
        let (model, entity) = (T::DESCRIPTOR, &T::DESCRIPTOR.entity);
        let mut attributes = json::read_record(answer, &self.shape).unwrap();
        let Some(Value::Guid(id)) = attributes.remove(entity.key) else { panic!("a record without an id") };
        let mut time = |name| match attributes.remove(name) {
            Some(Value::Instant(instant)) => Some(instant),
            _ => None,
        };
        let (modified, created) = (time(entity.modified), time(entity.created));
        let modified_by = match attributes.remove(entity.modified_by) {
            Some(Value::Lookup(user)) => Some(user.id),
            _ => None,
        };
        let facts = Facts { modified: modified.unwrap(), created, modified_by };
        let mut row = conversion::decode(model, id, &facts, &attributes).unwrap();
        // The local fields of a record that is new to the hub.
        for (column, value) in model.columns.iter().zip(&mut row).filter(|(column, _)| column.is_local()) {
            *value = conversion::initial(column);
        }
        (attributes, T::from_row(&RowReader::new(model.columns, &row)).unwrap())
    }

    /// The body that creates a model's record.
    pub(crate) fn write(&self, value: &T) -> Vec<u8> {
        let (model, entity) = (T::DESCRIPTOR, &T::DESCRIPTOR.entity);
        let mut row = vec![Value::Null; model.columns.len()];
        let mut writer = RowWriter::new(model.columns, &mut row);
        value.to_row(&mut writer);
        writer.finish().unwrap();
        let attributes = conversion::encode_new(model, &row).unwrap();
        let key = Value::Guid(value.id().guid());
        let values = model.stated(&attributes).map(|(name, stated, value)| (name, stated.unwrap().kind, value));
        json::write_record(values.chain([(entity.key, Kind::Guid, &key)])).unwrap()
    }

    /// Checks that the record's texts come back unchanged, except those that the example joins into one field.
    pub(crate) fn agrees(&self, record: &Record) {
        let (seen, value) = self.read(&record.cdms);
        assert_eq!(seen, record.attributes);
        let body: serde_json::Value = serde_json::from_slice(&self.write(&value)).unwrap();
        for column in T::DESCRIPTOR.columns.iter().filter(|column| column.kind == Kind::String) {
            if let [name] = column.attributes() {
                let sent = body.get(*name).and_then(serde_json::Value::as_str).map_or(Value::Null, Value::text);
                assert_eq!(Some(&sent), seen.get(name), "{name}");
            }
        }
    }
}
