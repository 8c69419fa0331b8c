//! The traits that derived models implement.

use std::future::{Ready, ready};

use cdms_odata::Value;
use datahub_model::conversion::{self, Row};
use datahub_model::{Fault, ModelDescriptor};
use datahub_protocol::Version;

use crate::operation::{Create, Edit, Erase, Get, Resolution, Resolve, ResolvedAll, Revert};
use crate::{Error, ErrorKind, History, Hub, Id, RowReader, RowWriter, VersionToken};

/// The name of a model's entity, by which references find it.
///
/// A trait of its own, so that models can refer to each other in a circle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced model",
    label = "not a synced model",
    note = "add #[derive(CdmsSynced)] to it"
)]
pub trait Model: Sized + 'static {
    /// The entity's lowercase logical name, for example `account`.
    const LOGICAL: &'static str;
    /// Whether it stands in for a model that has faults, so that nothing follows from what it says.
    #[doc(hidden)]
    const IS_STUB: bool = false;
}

/// That a value came from the hub, so that it knows what was changed of it: nothing of a plain model is so, and
/// [`Synced`](crate::Synced) has methods of its own. It is there for what the compiler says.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this `{Self}` is a plain value, which the hub has not read, so it cannot tell what was changed",
    label = "not read by the hub",
    note = "read the record with `{Self}::get(&hub, id).await?` and change what that gives, a `Synced<{Self}>`; a new record is \
            made with `{Self}::create(&hub, value)`"
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

    /// The record's id.
    fn id(&self) -> Id<Self>;

    /// The model of a row.
    ///
    /// # Errors
    ///
    /// A value does not fit its field.
    fn from_row(row: &RowReader<'_>) -> Result<Self, Fault>;

    /// Writes the model into a row.
    fn to_row(&self, row: &mut RowWriter<'_>);

    /// Of a value that [`get`](CdmsSynced::get) gave there is [`Synced::save`](crate::Synced::save).
    #[doc(hidden)]
    fn save(&mut self, _hub: &Hub) -> Ready<Result<(), Error>>
    where
        Self: ReadByTheHub,
    {
        ready(Err(plain(Self::DESCRIPTOR)))
    }

    /// Of a value that [`get`](CdmsSynced::get) gave there is [`Synced::delete`](crate::Synced::delete). A method of the
    /// caller's own that takes the value, or a shared reference, is found before this one.
    #[doc(hidden)]
    fn delete(&mut self, _hub: &Hub) -> Ready<Result<(), Error>>
    where
        Self: ReadByTheHub,
    {
        ready(Err(plain(Self::DESCRIPTOR)))
    }

    /// Reads one record in sync: the hub's row is compared with CDMS's record and refreshed when CDMS is newer.
    ///
    /// In sync it costs one request and one statement. Concurrent reads of one record share a request.
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
    /// // While CDMS is away, the hub's row, which then says that it was not checked.
    /// let organisation = Organisation::get(hub, id).or_local().await?;
    /// if !organisation.checked().is_fresh() {
    ///     println!("{} (not checked with CDMS)", organisation.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future leaves both sides consistent: a refresh under way ends on its own.
    ///
    /// # Errors
    ///
    /// `NotFound`, `Gone`, `LocalNewer`, `Quarantined`, `Unsettled`, `Unavailable` and the other
    /// [`ErrorKind`](crate::ErrorKind)s of reading.
    fn get(hub: &Hub, id: Id<Self>) -> Get<Self> {
        Get::new(hub, id)
    }

    /// Everything that happened to a record, oldest first; with [`History::limit`] and [`History::before`] page by page,
    /// newest page first. Asks the hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `Store` when the database cannot be read; `Invalid` when there are more than 10,000 entries and no limit.
    fn history(hub: &Hub, id: Id<Self>) -> History<Self> {
        History::new(hub, id)
    }

    /// Erases the values that the hub keeps of a record's past, because the law demands it: in its history, its ended
    /// writes, its tombstones in whichever model, its reason in quarantine, and in its row the attributes that no mapping
    /// of this program reads any more. What happened, when and by whom stays, with the reason in place of the values;
    /// versions from before can no longer be had or put back. Says how many history entries lost their values.
    ///
    /// What CDMS and the row have now is not touched: delete the record first if it is to go too. Asks the hub's database
    /// only, in one transaction. In a SQLite file the bytes are overwritten. Its write-ahead log is emptied at once, or, if a
    /// reader is in the way of that, which a warning tells, with the next round of settling that finds none; a program that
    /// ends before leaves that to the last one that closes the file. PostgreSQL gives the bytes up with its next VACUUM, and
    /// what is in backups stays there.
    ///
    /// Dropping the future leaves either everything or nothing erased.
    ///
    /// # Errors
    ///
    /// `NotFound` when the hub keeps nothing of the record, `Busy` while a write of it is under way or may still be carried
    /// out, `Invalid` without a reason, `Store` when the database cannot be used.
    fn erase(hub: &Hub, id: Id<Self>, reason: impl Into<String>) -> Erase<Self> {
        Erase::new(hub, id, reason.into())
    }

    /// Decides which side is right where the row is newer than CDMS ([`ErrorKind::LocalNewer`](crate::ErrorKind)), as
    /// after a restore of CDMS's backup. Where it is not, this is a read, and with [`Resolution::PushHub`] a save of what
    /// differs. Costs one request, and three more where something is pushed.
    ///
    /// Pushing takes CDMS's record first and then saves the row's values over it. If that save fails, or the program ends in
    /// between, the row has CDMS's values, and the hub's are in the history; the error says which version to `revert` to.
    /// What others have changed meanwhile is not overwritten: then it is a `Conflict`.
    ///
    /// Dropping the future stops neither: both run in a task of the hub to their end.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`](crate::ErrorKind) of reading and writing; `NotFound` or `Gone` when there is no row, `Busy` while
    /// a write of the record is under way, `Invalid` for a push of a mirror, which is never written.
    fn resolve(hub: &Hub, id: Id<Self>, resolution: Resolution) -> Resolve<Self> {
        Resolve::new(hub, id, resolution)
    }

    /// Compares every row of the model with CDMS and resolves those that are newer; one request for each row, one after
    /// the other, so that CDMS is not flooded. The others are refreshed as by a read.
    ///
    /// Dropping the future stops after the record that is being looked at; it can be called again.
    ///
    /// # Errors
    ///
    /// `Store` when the rows cannot be listed. Trouble with a single record is in the report, and so is that CDMS went away
    /// before all rows were compared.
    fn resolve_all(hub: &Hub, resolution: Resolution) -> impl Future<Output = Result<ResolvedAll<Self>, Error>> + Send {
        let hub = hub.clone();
        async move { crate::operation::resolve_all(&hub, resolution).await }
    }

    /// The record as the hub had it at a time, rebuilt from its history; `None` where the hub had not seen it yet, or
    /// where it was gone. Fields of the engine, such as CDMS's time of the last change, are as they are now. Asks the
    /// hub's database only.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `Store` when the database cannot be read, `Quarantined` when the values of that time do not fit the model of
    /// today, `Erased` when they were erased.
    fn as_of(
        hub: &Hub,
        id: Id<Self>,
        time: chrono::DateTime<chrono::Utc>,
    ) -> impl Future<Output = Result<Option<Self>, Error>> + Send {
        let hub = hub.clone();
        async move { crate::operation::as_of(&hub, id, time.into()).await }
    }
}

/// A model that is written: to CDMS and the hub with `mode = "sync"`, the default, or to the hub alone with
/// `mode = "detached"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a mirror of CDMS and is never written",
    label = "has `mode = \"mirror\"`",
    note = "remove `mode = \"mirror\"` from its #[cdms(…)] to write it"
)]
pub trait Writable: CdmsSynced {
    /// A new record to begin with, which neither side knows yet: with an id of its own, nothing in every field that can be
    /// empty, its default in one that has a default, and the kind's zero (no text, nought, `false`) in the others. In the
    /// fields that CDMS fills, such as times, users and states, stands something that is ignored on the way out.
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
    /// `Invalid` where a field has no value to begin with, such as a reference that is written and never null: build the
    /// model by hand then.
    fn draft() -> Result<Self, Error> {
        draft_of()
    }

    /// Creates a record in CDMS, under the id that the model carries, and then its row. Costs one request.
    ///
    /// Read-only and engine fields are ignored on the way out and filled from CDMS's reply.
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
    ///     // The error hands the value back, for example to show the form again.
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
    /// Dropping the future does not stop the create once the hub has met CDMS: it runs in a task of the hub to its end. A
    /// future that is dropped before, while the first operation of the program looks who CDMS is, has written nothing.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the id is taken, which never turns into an update; `Invalid` when the record would not satisfy
    /// the model's `only`, whatever CDMS made of what is not sent; any other [`ErrorKind`](crate::ErrorKind) of writing.
    /// The value is handed back, see [`CreateFailed::into_value`](crate::CreateFailed::into_value).
    fn create(hub: &Hub, value: Self) -> Create<Self> {
        Create::new(hub, value)
    }

    /// Puts a record back to a version of its [`history`](CdmsSynced::history), by a normal write: the fields that are
    /// written, in CDMS's raw form (a null where there was one), and the hub's own fields. What is overwritten is in the
    /// history like any other change. A record that was deleted is created again; the version of its end is the record as
    /// it was last.
    ///
    /// A future that is dropped while the history is read has written nothing; afterwards the write runs in a task of the
    /// hub to its end.
    ///
    /// # Errors
    ///
    /// `Invalid` for a version that the record does not have, `Erased` where its values were erased, and any
    /// [`ErrorKind`](crate::ErrorKind) of writing.
    fn revert(hub: &Hub, id: Id<Self>, version: Version) -> Revert<Self> {
        Revert::new(hub, id, version)
    }

    /// Takes up an edit that was begun with an earlier version, for example by a form that was loaded in another
    /// request: the value is as it was then, so that a save sends what the caller changed and nothing else.
    /// Costs one or two statements and no request.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// `NotFound` or `Gone` when there is no row; `Invalid` for a token of another record or database; `Erased` when the
    /// values of then were erased.
    fn edit(hub: &Hub, id: Id<Self>, token: VersionToken) -> Edit<Self> {
        Edit::new(hub, id, token)
    }
}

/// The error of a plain value where one is meant that the hub has read.
fn plain(model: &ModelDescriptor) -> Error {
    Error::new(ErrorKind::Invalid, format!("a plain value of {} was not read by the hub", model.name))
        .advise("read the record first and change that")
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
