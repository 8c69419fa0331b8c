//! The whole example domain in sync: every model on random records, read, refreshed, created, saved and deleted.

use std::fmt::Debug;

use datahub_runtime::prelude::*;
use datahub_runtime::testing::{Kit, Records};
use datahub_runtime::{Finding, RowReader, RowWriter, Value};
use example_domain::{
    Adviser, BusinessType, Contact, ContactRole, Country, EmployeeRange, Interaction, InteractionChannel, Organisation,
    Sector, Service, ServiceDelivery, ServiceDeliveryStatus, ServiceOffer, Team, Title, TurnoverRange, UkRegion,
};
use uuid::Uuid;

use crate::scene::found;

/// Records of each model.
const RECORDS: usize = 12;

/// A CDMS with random records of one model, and a hub that has loaded them all.
struct Stage<T> {
    kit: Kit,
    hub: Hub,
    ids: Vec<Id<T>>,
    more: Records,
}

impl<T: CdmsSynced + PartialEq + Debug> Stage<T> {
    async fn loaded() -> Self {
        let entity = T::DESCRIPTOR.entity.name;
        let mut more = Records::of(T::DESCRIPTOR, 2011);
        let kit = Kit::new(example_domain::METADATA);
        let ids = more.by_ref().take(RECORDS).map(|record| kit.simulator.seed(entity, record).into()).collect();
        let hub = kit.hub(example_domain::models()).program("tests").connect().await.unwrap();
        let pulled = hub.pull::<T>().await.unwrap();
        // CDMS has users before anybody makes one.
        let there = if entity == "SystemUser" { 2 } else { 0 };
        assert_eq!((pulled.first_seen, pulled.quarantined), (RECORDS as u64 + there, 0), "{entity}");
        Stage { kit, hub, ids, more }
    }

    async fn get(&self, id: Id<T>) -> Synced<T> {
        T::get(&self.hub, id).await.unwrap_or_else(|error| panic!("{}: {error}", T::DESCRIPTOR.name))
    }

    /// Reads say what CDMS has, before and after people changed it.
    async fn follows_cdms(&mut self) {
        for id in self.ids.clone() {
            assert_eq!(found(&self.get(id).await), Finding::InSync, "{}", T::DESCRIPTOR.name);
            self.kit.advance(std::time::Duration::from_secs(60));
            let record = self.more.next().unwrap();
            self.kit.simulator.overwrite(T::DESCRIPTOR.entity.name, id.guid(), record);
            assert_eq!(found(&self.get(id).await), Finding::Refreshed, "{}", T::DESCRIPTOR.name);
            assert_eq!(found(&self.get(id).await), Finding::InSync, "{}", T::DESCRIPTOR.name);
        }
    }
}

impl<T: Writable + PartialEq + Debug> Stage<T> {
    /// What one record has is written to another one and to a new one, and read back as the same.
    async fn is_written(&self) {
        let (source, target) = (self.get(self.ids[0]).await, self.get(self.ids[1]).await);
        let mut saved = target.clone();
        *saved = under(&source, self.ids[1], &target);
        let wanted = saved.clone();
        saved.save(&self.hub).await.unwrap();
        assert_eq!(*saved, *wanted);
        let read = self.get(self.ids[1]).await;
        assert_eq!((found(&read), &*read), (Finding::InSync, &*wanted));

        let new = Id::from(Uuid::from_u128(7));
        let created = T::create(&self.hub, under(&source, new, &source)).await.unwrap();
        let read = self.get(new).await;
        assert_eq!((found(&read), &*read), (Finding::InSync, &*created));
        assert_eq!(written(&*created), written(&*source));
        created.delete(&self.hub).await.unwrap();
        assert_eq!(T::get(&self.hub, new).await.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(self.kit.simulator.record(T::DESCRIPTOR.entity.name, new.guid()), None);
    }
}

/// A model's row.
fn row<T: CdmsSynced>(model: &T) -> Vec<Value> {
    let columns = T::DESCRIPTOR.columns;
    let mut values = vec![Value::Null; columns.len()];
    let mut writer = RowWriter::new(columns, &mut values);
    model.to_row(&mut writer);
    writer.finish().unwrap();
    values
}

/// Which columns are sent.
fn is_sent<T: CdmsSynced>() -> impl Iterator<Item = bool> {
    T::DESCRIPTOR.columns.iter().map(|column| column.write() == datahub_model::Write::Always)
}

/// The values of the fields that are sent.
fn written<T: CdmsSynced>(model: &T) -> Vec<Value> {
    row(model).into_iter().zip(is_sent::<T>()).filter(|(_, sent)| *sent).map(|(value, _)| value).collect()
}

/// A model under another id: what is sent from one record, everything else from another.
fn under<T: CdmsSynced>(sent: &T, id: Id<T>, rest: &T) -> T {
    let parts = row(sent).into_iter().zip(row(rest)).zip(is_sent::<T>());
    let mut values: Vec<_> = parts.map(|((sent, rest), is_sent)| if is_sent { sent } else { rest }).collect();
    values[T::DESCRIPTOR.key_column()] = Value::Guid(id.guid());
    T::from_row(&RowReader::new(T::DESCRIPTOR.columns, &values)).unwrap()
}

async fn written_model<T: Writable + PartialEq + Debug>() {
    let mut stage = Stage::<T>::loaded().await;
    stage.follows_cdms().await;
    stage.is_written().await;
}

async fn mirror<T: CdmsSynced + PartialEq + Debug>() {
    Stage::<T>::loaded().await.follows_cdms().await;
}

#[tokio::test]
async fn the_seven_models_are_in_sync_both_ways() {
    written_model::<Organisation>().await;
    written_model::<Contact>().await;
    written_model::<Adviser>().await;
    written_model::<Team>().await;
    written_model::<Interaction>().await;
    written_model::<ServiceDelivery>().await;
    written_model::<ServiceOffer>().await;
}

#[tokio::test]
async fn the_eleven_reference_types_follow_cdms() {
    mirror::<BusinessType>().await;
    mirror::<Sector>().await;
    mirror::<EmployeeRange>().await;
    mirror::<TurnoverRange>().await;
    mirror::<UkRegion>().await;
    mirror::<Country>().await;
    mirror::<Title>().await;
    mirror::<ContactRole>().await;
    mirror::<InteractionChannel>().await;
    mirror::<Service>().await;
    mirror::<ServiceDeliveryStatus>().await;
}
