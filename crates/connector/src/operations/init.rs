//! `connector init`: a folder becomes a connector's.

use std::path::{Path, PathBuf};

use serde::Serialize;
use store::Store;

use crate::connector::ROOMS;
use crate::keystore::Keystore;
use crate::settings::{self, Settings};
use crate::{Error, files};

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Initialised {
    /// The folder.
    pub folder: PathBuf,
    /// The settings' file.
    pub settings: PathBuf,
    /// The keystore.
    pub keys: PathBuf,
}

/// Makes the folder, its settings, its keystore, its database.
pub async fn init(folder: &Path, settings: &Settings) -> Result<Initialised, Error> {
    let path = folder.join(settings::FILE);
    settings.check().map_err(|why| Error::Settings {
        path: path.clone(),
        why,
    })?;
    match path.try_exists() {
        Ok(false) => {}
        Ok(true) => return Err(Error::Exists(folder.to_owned())),
        Err(why) => return Err(Error::file(&path, why)),
    }
    files::private_folder(folder).map_err(|why| Error::file(folder, why))?;
    let keys = settings::keys_folder(folder);
    Keystore::open(&keys)?;
    Store::open(&settings.location(folder)?, &ROOMS).await?;
    // Last: a folder with settings is whole.
    files::write_whole(&path, settings.print().as_bytes())
        .map_err(|why| Error::file(&path, why))?;
    Ok(Initialised {
        folder: folder.to_owned(),
        settings: path,
        keys,
    })
}
