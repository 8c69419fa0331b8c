//! The traits that derived models implement.

use std::future::{Ready, ready};

use cdms_odata::Value;
use datahub_model::conversion::{self, Row};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::Version;
use futures_util::future::BoxFuture;

use crate::engine::call::Call;
use crate::operation::{
    Create, CreateFailed, DeleteFailed, Deleted, Edit, Erase, Find, Get, GetMany, LoadRelated, Referring, Resolution,
    Resolve, ResolvedAll, Revert, SaveFailed, WriteMany,
};
use crate::query::{Field, Refers};
use crate::{Error, ErrorKind, FieldFault, History, Hub, Id, RowReader, RowWriter, Synced, VersionToken};

/// The name of a model's entity, by which references identify it.
///
/// A separate trait, so that models can refer to each other in a cycle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced model",
    label = "not a synced model",
    note = "add #[derive(CdmsSynced)] to it"
)]
pub trait Model: Sized + 'static {
    /// The entity's lowercase logical name, for example `account`.
    const LOGICAL: &'static str;
    /// Whether this is a placeholder for a model with faults, so that nothing is checked against it.
    #[doc(hidden)]
    const IS_STUB: bool = false;
}

/// A value that came from the hub, which therefore knows what was changed in it. No plain model implements this, and
/// [`Synced`](crate::Synced) has methods of its own. It exists for the compiler's message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this `{Self}` is a plain value that was not read by the hub, so its changes are unknown",
    label = "not read by the hub",
    note = "read the record with `{Self}::get(&hub, id).await?` and change the `Synced<{Self}>` that it returns; create a new \
            record with `{Self}::create(&hub, value)`"
)]
pub trait ReadByTheHub {}

/// A struct whose rows follow the records of a CDMS entity; derived by `#[derive(CdmsSynced)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced model",
    label = "not a synced model",
    note = "add #[derive(CdmsSynced)] to it"
)]
pub trait CdmsSynced: Model + Clone + Send + Sync {
    /// The mapping.
    const DESCRIPTOR: &'static ModelDescriptor;

    /// The type of [`FIELDS`](CdmsSynced::FIELDS): a struct with a [`Field`](crate::query::Field) for each field of the
    /// model, of the same name. A group has a struct of its own.
    type Fields;

    /// The handles of the model's fields, for conditions and orders: `Organisation::FIELDS.name.contains("Acme")`. See
    /// [`query`](crate::query).
    const FIELDS: Self::Fields;

    /// Takes the values of a row through the type: the values that it makes of them. A constant, so that `models!` asks
    /// for it like the others and the compiler reports a type that is no model once.
    #[doc(hidden)]
    const THROUGH: fn(&[Value]) -> Result<Row, Fault> =
        |values| model_of::<Self>(values).and_then(|model| row_of(&model));

    /// Returns the record's id.
    fn id(&self) -> Id<Self>;

    /// Makes the model of a row.
    ///
    /// # Errors
    ///
    /// A value that does not fit its field.
    fn from_row(row: &RowReader<'_>) -> Result<Self, Fault>;

    /// Writes the model into a row.
    fn to_row(&self, row: &mut RowWriter<'_>);

    /// [`Synced::save`](crate::Synced::save) does this for a value that [`get`](CdmsSynced::get) returned.
    #[doc(hidden)]
    fn save(&mut self, _hub: &Hub) -> Ready<Result<(), Error>>
    where
        Self: ReadByTheHub,
    {
        ready(Err(plain(Self::DESCRIPTOR)))
    }

    /// [`Synced::delete`](crate::Synced::delete) does this for a value that [`get`](CdmsSynced::get) returned. The
    /// compiler prefers the caller's own method that takes the value, or a shared reference.
    #[doc(hidden)]
    fn delete(&mut self, _hub: &Hub) -> Ready<Result<(), Error>>
    where
        Self: ReadByTheHub,
    {
        ready(Err(plain(Self::DESCRIPTOR)))
    }

    /// Reads one record in sync: compares the hub's row with CDMS's record and refreshes it if CDMS is newer.
    ///
    /// If both are in sync, it costs one request and one statement. Concurrent reads of one record share a request.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn show(hub: &Hub, id: Id<Organisation>) -> Result<(), Error> {
    /// let organisation = Organisation::get(hub, id).await?;
    /// println!("{}", organisation.name);
    ///
    /// // If CDMS is unavailable, this returns the hub's row, which says that it was not checked.
    /// let organisation = Organisation::get(hub, id).or_local().await?;
    /// if !organisation.checked().is_fresh() {
    ///     println!("{} (not checked with CDMS)", organisation.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future leaves both sides consistent: a refresh in progress finishes on its own.
    ///
    /// # Errors
    ///
    /// `NotFound`, `Gone`, `LocalNewer`, `Quarantined`, `Unsettled`, `Unavailable` and the other
    /// [`ErrorKind`](crate::ErrorKind)s of reading.
    #[track_caller]
    fn get(hub: &Hub, id: Id<Self>) -> Get<Self> {
        Get::new(hub, id)
    }

    /// Asks CDMS for records: filter, order and limit go to CDMS, and membership and order of the answer are CDMS's own.
    /// Each record is compared with the hub's row and stored as by a read.
    ///
    /// A page of 50 records in sync costs one request, at most two statements and no write; if all have changed, one
    /// request and at most five statements. What CDMS cannot evaluate is refused before any request, and the error says
    /// how to ask the hub's rows instead.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn list(hub: &Hub) -> Result<(), Error> {
    /// let f = Organisation::FIELDS;
    /// let page = Organisation::find(hub).filter(f.name.contains("Acme")).order_by(f.name.asc()).limit(20).load().await?;
    /// for organisation in &page {
    ///     println!("{}", organisation.name);
    /// }
    /// let how_many = Organisation::find(hub).filter(f.name.starts_with("A")).count().await?;
    /// # _ = how_many;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    fn find(hub: &Hub) -> Find<Self> {
        Find::new(hub)
    }

    /// Reads many records by their ids, each compared and stored as by a read, in as few requests as fit their ids: about 20
    /// in each. Says which of them CDMS has not listed. Of a detached model, the hub's rows are read.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn show(hub: &Hub, ids: Vec<Id<Organisation>>) -> Result<(), Error> {
    /// let many = Organisation::get_many(hub, ids).await?;
    /// for organisation in &many.records {
    ///     println!("{}", organisation.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future stops it between two steps; what was stored of a page is stored whole.
    ///
    /// # Errors
    ///
    /// `Unavailable` and the other [`ErrorKind`]s of reading. Errors of single records are in
    /// [`Many::left_out`](crate::Many::left_out).
    #[track_caller]
    fn get_many(hub: &Hub, ids: impl IntoIterator<Item = Id<Self>>) -> GetMany<Self> {
        GetMany::new(hub, ids.into_iter().collect())
    }

    /// Reads the record that a lookup points to; `None` if it points to none, or to a record of another model. If the
    /// lookup can point to several models, name the one: `contact.follow::<Organisation, _, _>(f.customer, &hub)`.
    ///
    /// Costs a read. For many records, [`load_related`](CdmsSynced::load_related) costs little more.
    ///
    /// Dropping the future is harmless.
    ///
    /// # Errors
    ///
    /// As [`get`](CdmsSynced::get).
    #[track_caller]
    fn follow<T: CdmsSynced, V: Refers<T, At>, At>(
        &self,
        lookup: Field<Self, V>,
        hub: &Hub,
    ) -> BoxFuture<'static, Result<Option<Synced<T>>, Error>> {
        let target = crate::operation::target::<Self, T, V>(self, lookup);
        let get = target.map(|id| id.map(|id| Get::new(hub, Id::<T>::from(id))));
        Box::pin(async move {
            match get? {
                Some(get) => get.await.map(Some),
                None => Ok(None),
            }
        })
    }

    /// Reads the records that a lookup of many records points to: at most three requests for 50 records. They are compared
    /// and stored as by a read, unless [`known_only`](LoadRelated::known_only) or
    /// [`fetch_unknown`](LoadRelated::fetch_unknown) is called. One level: the records that those point to are not read,
    /// so that a circle ends.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// #     #[cdms("ParentAccountId")]
    /// #     parent: Option<Id<Organisation>>,
    /// # }
    /// # async fn list(hub: &Hub) -> Result<(), Error> {
    /// let f = Organisation::FIELDS;
    /// let page = Organisation::find(hub).order_by(f.name.asc()).limit(50).load().await?;
    /// let parents = Organisation::load_related(hub, &page, f.parent).await?;
    /// for organisation in &page {
    ///     let parent = parents.get(organisation.parent).map_or("-", |parent| parent.name.as_str());
    ///     println!("{} ({parent})", organisation.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future stops it between two steps.
    ///
    /// # Errors
    ///
    /// As [`get_many`](CdmsSynced::get_many).
    #[track_caller]
    fn load_related<'r, T: CdmsSynced, V: Refers<T, At>, At>(
        hub: &Hub,
        records: impl IntoIterator<Item = &'r Synced<Self>>,
        lookup: Field<Self, V>,
    ) -> LoadRelated<T> {
        LoadRelated::new(hub, records, lookup)
    }

    /// Reads the records of a model whose lookup points to one of these records, such as the contacts of some organisations:
    /// `Organisation::load_referring(&hub, &page, Contact::FIELDS.organisation)`. Up to 20 records share a request, and each
    /// 50 records that point to them cost one more.
    ///
    /// Dropping the future stops it between two steps.
    ///
    /// # Errors
    ///
    /// `TooExpensive` if it needs more than 50 requests, otherwise as [`find`](CdmsSynced::find).
    #[track_caller]
    fn load_referring<'r, M: CdmsSynced, V: Refers<Self, At>, At>(
        hub: &Hub,
        records: impl IntoIterator<Item = &'r Synced<Self>>,
        lookup: Field<M, V>,
    ) -> BoxFuture<'static, Result<Referring<M, Self>, Error>> {
        let ids = records.into_iter().map(|record| record.id().guid()).collect();
        let call = Call::new(&hub.called(), "load_referring", M::DESCRIPTOR.name);
        Box::pin(call.run(crate::operation::referring(hub.called(), ids, lookup)))
    }

    /// Returns everything that happened to a record, oldest first; with [`History::limit`] and [`History::before`] page
    /// by page, newest page first. Reads the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `Store` when the database cannot be read; `Invalid` when there are more than 10,000 entries and no limit was
    /// set.
    #[track_caller]
    fn history(hub: &Hub, id: Id<Self>) -> History<Self> {
        History::new(hub, id)
    }

    /// Erases the values that the hub keeps of a record's past, for example because the law requires it: in its
    /// history, its ended writes, its tombstones in every model, its reason in quarantine, and those attributes in its
    /// row that no mapping of this program reads any more. What happened, when and by whom stays, with the reason in
    /// place of the values; earlier versions can no longer be read or restored. Returns how many history entries lost
    /// their values.
    ///
    /// The current values in CDMS and in the row are not touched; to erase them too, delete the record first. Uses the
    /// hub's database only, in one transaction. In a SQLite file the bytes are overwritten. Its write-ahead log is
    /// emptied at once; if a reader prevents that, a warning is logged, and the next round of settling without such a
    /// reader empties it. If the program ends before that, the last program to close the file does so. PostgreSQL frees
    /// the bytes with its next VACUUM. Backups keep what they contain.
    ///
    /// Dropping the future leaves either everything or nothing erased.
    ///
    /// # Errors
    ///
    /// `NotFound` when the hub has no data of the record, `Busy` while a write of it is in progress or may still be
    /// carried out, `Invalid` without a reason, `Store` when the database cannot be used.
    #[track_caller]
    fn erase(hub: &Hub, id: Id<Self>, reason: impl Into<String>) -> Erase<Self> {
        Erase::new(hub, id, reason.into())
    }

    /// Decides which side is right if the row is newer than CDMS ([`ErrorKind::LocalNewer`](crate::ErrorKind)), for
    /// example after a restore of CDMS's backup. If the row is not newer, this is a read, and with
    /// [`Resolution::PushHub`] a save of the differences. Costs one request, and three more if something is pushed.
    ///
    /// Pushing first takes CDMS's record and then saves the row's values over it. If that save fails, or the program
    /// ends in between, the row has CDMS's values, and the hub's are in the history; the error names the version to
    /// `revert` to. Changes that others have made in the meantime are not overwritten; they cause a `Conflict`.
    ///
    /// Dropping the future stops neither: both run to their end in a task of the hub.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind) of reading and writing; `NotFound` or `Gone` when there is no row, `Busy`
    /// while a write of the record is in progress, `Invalid` for a push of a mirror, which is never written.
    #[track_caller]
    fn resolve(hub: &Hub, id: Id<Self>, resolution: Resolution) -> Resolve<Self> {
        Resolve::new(hub, id, resolution)
    }

    /// Compares every row of the model with CDMS and resolves those that are newer. Sends one request per row, one
    /// after the other, so that CDMS is not overloaded. The other rows are refreshed as by a read.
    ///
    /// Dropping the future stops after the current record; it can be called again.
    ///
    /// # Errors
    ///
    /// `Store` when the rows cannot be listed. Errors of single records are in the report, and so is the error if CDMS
    /// became unavailable before all rows were compared.
    #[track_caller]
    fn resolve_all(hub: &Hub, resolution: Resolution) -> impl Future<Output = Result<ResolvedAll<Self>, Error>> + Send {
        let hub = hub.called();
        async move {
            let call = Call::new(&hub, "resolve_all", Self::DESCRIPTOR.name);
            call.run(crate::operation::resolve_all(&hub, resolution)).await
        }
    }

    /// Returns the record as the hub had it at a given time, rebuilt from its history; `None` if the hub had not seen
    /// it yet or it was gone. Engine fields, such as CDMS's time of the last change, have their current values. Reads
    /// the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `Store` when the database cannot be read, `Quarantined` when the values of that time do not fit the current
    /// model, `Erased` when they were erased.
    #[track_caller]
    fn as_of(
        hub: &Hub,
        id: Id<Self>,
        time: chrono::DateTime<chrono::Utc>,
    ) -> impl Future<Output = Result<Option<Self>, Error>> + Send {
        let hub = hub.called();
        async move {
            let call = Call::new(&hub, "as_of", Self::DESCRIPTOR.name).on(id.guid());
            call.run(crate::operation::as_of(&hub, id, time.into())).await
        }
    }
}

/// A model that can be written: to CDMS and the hub with `mode = "sync"`, the default, or to the hub alone with `mode =
/// "detached"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a mirror of CDMS and is never written",
    label = "has `mode = \"mirror\"`",
    note = "remove `mode = \"mirror\"` from its #[cdms(…)] to write it"
)]
pub trait Writable: CdmsSynced {
    /// Returns a new record to start from, which neither side knows yet. It has a new id. Fields that can be empty are
    /// empty, fields with a default have the default, and the others have the kind's zero value (empty text, zero,
    /// `false`). Fields that CDMS fills, such as times, users and states, have placeholders that are not sent.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(table = "organisations", mode = "detached")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms(local, sql_type = "string")]
    /// #     name: String,
    /// # }
    /// # async fn create(hub: &Hub) -> Result<(), Error> {
    /// let new = Organisation { name: "Acme".into(), ..Organisation::draft()? };
    /// Organisation::create(hub, new).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Invalid` if a field has no initial value, such as a reference that is written and never null. In that case,
    /// build the model by hand.
    fn draft() -> Result<Self, Error> {
        draft_of()
    }

    /// The fields of a new record that a [`create`](Writable::create) would refuse as [`Invalid`](ErrorKind::Invalid), each
    /// with the reason: text that is too long, a required value that is missing, an unknown option. All of them at once,
    /// for a form that shows a message beside each field. [`Synced::faults`](crate::Synced::faults) does the same for
    /// the changes of a record that was read.
    ///
    /// Asks neither CDMS nor the database.
    fn faults(&self) -> Vec<FieldFault> {
        crate::faults::of_new(self)
    }

    /// Creates a record in CDMS, under the id in the model, and then its row. Costs one request.
    ///
    /// Read-only and engine fields are not sent, and are filled from CDMS's reply.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn create(hub: &Hub) -> Result<(), Error> {
    /// let new = Organisation { id: Id::new(), name: "Acme".into() };
    /// match Organisation::create(hub, new).await {
    ///     Ok(created) => println!("{} has the id {}", created.name, created.id()),
    ///     // The error returns the value, for example to show the form again.
    ///     Err(failed) if failed.error().kind() == ErrorKind::Invalid => {
    ///         println!("{}", failed.error());
    ///         let new = failed.into_value();
    ///         println!("{} was not created", new.name);
    ///     }
    ///     Err(failed) => return Err(failed.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Once the hub has contacted CDMS, dropping the future does not stop the create: it runs to its end in a task of
    /// the hub. If the future is dropped before that, during the program's first operation, nothing has been written.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the id is taken (a create never becomes an update); `Invalid` when the record could not
    /// satisfy the model's `only`, whatever CDMS fills in; any other [`ErrorKind`](crate::ErrorKind) of writing. The
    /// error returns the value, see [`CreateFailed::into_value`](crate::CreateFailed::into_value).
    #[track_caller]
    fn create(hub: &Hub, value: Self) -> Create<Self> {
        Create::new(hub, value)
    }

    /// Creates many records, each as [`create`](Writable::create) does: some at once, begun in the order of the values, and
    /// with an outcome for each in that order. A failure of one record does not stop the others; if CDMS becomes
    /// unavailable, no more are begun, and the outcomes of the rest say so. The error of an outcome returns the value.
    ///
    /// ```no_run
    /// # use datahub_runtime::prelude::*;
    /// # #[derive(Clone, CdmsSynced)]
    /// # #[cdms(mapping = "account.toml", table = "organisations")]
    /// # struct Organisation {
    /// #     #[cdms(key)]
    /// #     id: Id<Organisation>,
    /// #     #[cdms("Name")]
    /// #     name: String,
    /// # }
    /// # async fn create(hub: &Hub, names: Vec<String>) -> Result<(), Error> {
    /// let new = names.into_iter().map(|name| Organisation { id: Id::new(), name }).collect();
    /// let written = Organisation::create_many(hub, new)
    ///     .at_once(4)
    ///     .on_record(|progress| println!("{} of {}", progress.done, progress.total))
    ///     .await;
    /// for (position, failed) in written.failed() {
    ///     println!("number {position} was not created: {}", failed.error());
    /// }
    /// println!("it cost {}", written.cost);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Many records are many operations: there is no transaction around them. Dropping the future begins no more writes;
    /// those that have begun run to their end in tasks of the hub.
    #[track_caller]
    fn create_many(hub: &Hub, values: Vec<Self>) -> WriteMany<Self, Result<Synced<Self>, CreateFailed<Self>>> {
        WriteMany::creates(hub, values)
    }

    /// Saves many records, each as [`Synced::save`](crate::Synced::save) does, otherwise like
    /// [`create_many`](Writable::create_many). The outcomes have the saved values, and the errors the values with the
    /// caller's edits, which can be saved again. A record that has not changed costs no request. A record that is there
    /// twice is saved twice, in no particular order.
    #[track_caller]
    fn save_many(
        hub: &Hub,
        values: Vec<Synced<Self>>,
    ) -> WriteMany<Synced<Self>, Result<Synced<Self>, SaveFailed<Self>>> {
        WriteMany::saves(hub, values)
    }

    /// Deletes many records, each as [`Synced::delete`](crate::Synced::delete) does, otherwise like
    /// [`create_many`](Writable::create_many).
    #[track_caller]
    fn delete_many(
        hub: &Hub,
        values: Vec<Synced<Self>>,
    ) -> WriteMany<Synced<Self>, Result<Deleted, DeleteFailed<Self>>> {
        WriteMany::deletes(hub, values)
    }

    /// Reverts a record to a version of its [`history`](CdmsSynced::history), by a normal write: the fields that are
    /// written, in CDMS's raw form (null if they were null), and the local fields. The history keeps what is
    /// overwritten, like any other change. A record that was deleted is created again; the version of its end stands
    /// for its last state.
    ///
    /// If the future is dropped while the history is read, nothing has been written. After that, the write runs to its
    /// end in a task of the hub.
    ///
    /// # Errors
    ///
    /// `Invalid` for a version that the record does not have, `Erased` if the version's values were erased, and any
    /// [`ErrorKind`](crate::ErrorKind) of writing.
    #[track_caller]
    fn revert(hub: &Hub, id: Id<Self>, version: Version) -> Revert<Self> {
        Revert::new(hub, id, version)
    }

    /// Resumes an edit that began with an earlier version, for example in a form that was loaded in another request.
    /// The value is as it was then, so that a save sends only what the caller changed. Costs one or two statements and
    /// no request.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Gone` when there is no row; `Invalid` for a token of another record or database; `Erased` when
    /// the values of that version were erased.
    #[track_caller]
    fn edit(hub: &Hub, id: Id<Self>, token: VersionToken) -> Edit<Self> {
        Edit::new(hub, id, token)
    }
}

/// The error of a plain value where a value read by the hub is required.
fn plain(model: &ModelDescriptor) -> Error {
    Error::new(ErrorKind::Invalid, format!("expected a {} that was read by the hub, found a plain value", model.name))
        .advise("read the record first and change the result")
}

/// A new record of a model; see [`Writable::draft`].
fn draft_of<T: CdmsSynced>() -> Result<T, Error> {
    let (model, id) = (T::DESCRIPTOR, Id::<T>::new().guid());
    let values =
        model.columns.iter().map(|column| conversion::beginning(model, column, id)).collect::<Result<Row, _>>();
    values.and_then(|values| model_of(&values)).map_err(|fault| {
        Error::new(ErrorKind::Invalid, format!("{} has no draft: {fault}", model.name))
            .advise("build it by hand, or make the field an Option")
    })
}

/// The model of a row's values.
pub(crate) fn model_of<T: CdmsSynced>(values: &[Value]) -> Result<T, Fault> {
    T::from_row(&RowReader::new(T::DESCRIPTOR.columns, values))
        .map_err(|fault| datahub_model::conversion::classed(T::DESCRIPTOR, fault))
}

/// The values of a model's row.
pub(crate) fn row_of<T: CdmsSynced>(model: &T) -> Result<Row, Fault> {
    let columns = T::DESCRIPTOR.columns;
    let mut values = vec![Value::Null; columns.len()];
    let mut writer = RowWriter::new(columns, &mut values);
    model.to_row(&mut writer);
    writer.finish().map_err(|fault| datahub_model::conversion::classed(T::DESCRIPTOR, fault))?;
    Ok(values)
}
