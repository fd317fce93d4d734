//! The log as files (C2SP tlog-tiles): made from the store, the same for whoever asks over HTTP and
//! for a copy.
//!
//! | file | what it holds |
//! |---|---|
//! | `checkpoint` | the newest signed checkpoint |
//! | `tile/L/N`, `.p/W` | hashes of level L |
//! | `tile/entries/N` | 256 leaves, each after its length: time, kind and salted commitment |
//! | `payload/N` | their salts and payloads, a line each; `-` where it was erased |

use std::cell::RefCell;

use protocol::ids::WorkspaceId;
use store::{Query, StoreError};
use tlog_tiles::Tile;

use super::{Stored, leaf};
use crate::rows;
use crate::rows::log::Leaf;

/// Leaves of a bundle, and hashes of a tile: 2 to the power of this.
const HEIGHT: u8 = 8;
/// Leaves of a whole bundle.
pub(super) const WIDTH: u64 = 1 << HEIGHT;
/// More tiles than any log has.
const MAX_TILES: u64 = 1 << 40;
/// A payload that was erased.
pub(super) const ERASED: &str = "-";

/// A file of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// The newest checkpoint.
    Checkpoint,
    /// Hashes.
    Tile(Tile),
    /// Leaves.
    Entries(Tile),
    /// Payloads.
    Payload(Tile),
}

impl Published {
    /// The file at this path, if it can be one.
    pub(crate) fn at(path: &str) -> Option<Self> {
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        let found = if let Some(place) = path.strip_prefix("tile/entries/") {
            Self::Entries(tile_at(0, place, true)?)
        } else if let Some(place) = path.strip_prefix("payload/") {
            Self::Payload(tile_at(0, place, true)?)
        } else {
            let (level, place) = path.strip_prefix("tile/")?.split_once('/')?;
            let level = level.parse().ok().filter(|level| *level < HEIGHT)?;
            Self::Tile(tile_at(level, place, false)?)
        };
        (found.path() == path).then_some(found)
    }

    /// Its path.
    pub(crate) fn path(&self) -> String {
        let place = |tile: &Tile, before: &str| {
            let hashes = format!("tile/{HEIGHT}/");
            let data = format!("tile/{HEIGHT}/data/");
            let path = tile.path();
            let rest = path
                .strip_prefix(&data)
                .or_else(|| path.strip_prefix(&hashes));
            format!("{before}{}", rest.unwrap_or_default())
        };
        match self {
            Self::Checkpoint => "checkpoint".to_owned(),
            Self::Tile(tile) => place(tile, "tile/"),
            Self::Entries(tile) => place(tile, "tile/entries/"),
            Self::Payload(tile) => place(tile, "payload/"),
        }
    }

    /// Every file of a log of this size but the checkpoint: bundle by bundle, then the tiles above.
    pub(crate) fn all(size: u64) -> impl Iterator<Item = Self> {
        let bundles =
            tiles(size, 0, true).flat_map(|tile| [Self::Entries(tile), Self::Payload(tile)]);
        let levels = (0..HEIGHT).take_while(move |level| size >> (level * HEIGHT) > 0);
        bundles.chain(levels.flat_map(move |level| tiles(size, level, false).map(Self::Tile)))
    }

    /// What is in it now. `None`: the log has no such file.
    pub(crate) fn read(
        &self,
        query: &mut impl Query,
        workspace: WorkspaceId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut leaves = |tile: &Tile| -> Result<Option<Vec<Leaf>>, StoreError> {
            let first = tile.level_index() * WIDTH;
            let leaves = rows::log::leaves(query, workspace, first, tile.width())?;
            let whole = leaves.len() == usize::try_from(tile.width()).unwrap_or(usize::MAX);
            Ok(whole.then_some(leaves))
        };
        Ok(match self {
            Self::Checkpoint => {
                rows::log::newest_checkpoint(query, workspace)?.map(|(_, note)| note.into_bytes())
            }
            Self::Entries(tile) => leaves(tile)?.map(|leaves| bundle(&leaves)),
            Self::Payload(tile) => leaves(tile)?.map(|leaves| payloads(&leaves)),
            Self::Tile(tile) => {
                let reader = Stored(workspace, RefCell::new(query));
                tile.read_data(&reader).ok()
            }
        })
    }
}

/// A tile by what stands behind its level: groups of three digits, and its width if it is not whole.
fn tile_at(level: u8, place: &str, is_data: bool) -> Option<Tile> {
    let (groups, width) = match place.split_once(".p/") {
        None => (place, WIDTH),
        Some((groups, width)) => (groups, width.parse().ok()?),
    };
    let mut number: u64 = 0;
    for group in groups.split('/') {
        let group: u64 = group.trim_start_matches('x').parse().ok()?;
        number = number.checked_mul(1_000)?.checked_add(group)?;
    }
    let can_be = (1..=WIDTH).contains(&width) && number < MAX_TILES;
    let width = u32::try_from(width).ok().filter(|_| can_be)?;
    Some(Tile::new(HEIGHT, level, number, width, is_data))
}

/// The tiles of a level of a tree of this size.
pub(super) fn tiles(size: u64, level: u8, is_data: bool) -> impl Iterator<Item = Tile> {
    let hashes = size >> (u32::from(level) * u32::from(HEIGHT));
    let tile = move |n: u64| {
        let width = (hashes - n * WIDTH).min(WIDTH);
        let width = u32::try_from(width).unwrap_or(1);
        Tile::new(HEIGHT, level, n, width, is_data)
    };
    (0..hashes.div_ceil(WIDTH)).map(tile)
}

fn bundle(leaves: &[Leaf]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for one in leaves {
        let leaf = leaf(one.at, &one.kind, &one.commitment);
        let len = u16::try_from(leaf.len()).unwrap_or(u16::MAX);
        bytes.extend(len.to_be_bytes());
        bytes.extend(leaf);
    }
    bytes
}

fn payloads(leaves: &[Leaf]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        let line = match &leaf.payload {
            Some(payload) => format!("{} {payload}\n", hex::encode(&leaf.salt)),
            None => format!("{ERASED}\n"),
        };
        bytes.extend(line.into_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_any_size_has_the_files_that_readers_look_for() {
        let paths =
            |size| -> Vec<String> { Published::all(size).map(|file| file.path()).collect() };
        assert_eq!(paths(0), [""; 0]);
        assert_eq!(
            paths(1),
            ["tile/entries/000.p/1", "payload/000.p/1", "tile/0/000.p/1"]
        );
        let large = paths(70_000);
        for path in [
            "tile/entries/273.p/112",
            "payload/272",
            "tile/0/273.p/112",
            "tile/1/000",
            "tile/1/001.p/17",
            "tile/2/000.p/1",
        ] {
            assert!(large.iter().any(|one| one == path), "{path}");
        }
        assert!(large.iter().all(|path| Published::at(path).is_some()));
        let thousands = Published::at("tile/entries/x001/234").map(|file| file.path());
        assert_eq!(thousands.as_deref(), Some("tile/entries/x001/234"));
        for no in [
            "",
            "tile/",
            "tile/0/1",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/8/0/000",
            "tile/entries/../checkpoint",
            "payload/000/",
            "tile/data/000",
            "checkpoint/",
        ] {
            assert_eq!(Published::at(no), None, "{no}");
        }
    }
}
