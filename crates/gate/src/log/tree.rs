//! The tree as it grows: the right edge alone, so that a log of any length is verified in little
//! memory.

use tlog_tiles::tlog::{EMPTY_HASH, Hash, node_hash};

/// A tree to which leaves are appended (RFC 6962).
#[derive(Clone, Debug, Default)]
pub(super) struct Growing {
    size: u64,
    /// The whole subtrees at the right edge, with their heights, the largest first.
    edge: Vec<(u8, Hash)>,
    /// What the last leaf completed: its own hash, and those of the subtrees above it.
    completed: Vec<Hash>,
}

impl Growing {
    /// How many leaves.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf's hash. What it completes, from the leaf upwards, is in the order in which
    /// trees are stored.
    pub(super) fn push(&mut self, leaf: Hash) -> &[Hash] {
        self.completed.clear();
        self.completed.push(leaf);
        let (mut height, mut hash) = (0, leaf);
        while let Some(&(left_height, left)) = self.edge.last()
            && left_height == height
        {
            self.edge.pop();
            hash = node_hash(left, hash);
            height += 1;
            self.completed.push(hash);
        }
        self.edge.push((height, hash));
        self.size += 1;
        &self.completed
    }

    /// The root now.
    pub(super) fn root(&self) -> Hash {
        let mut edge = self.edge.iter().rev().map(|(_, hash)| *hash);
        let last = edge.next().unwrap_or(EMPTY_HASH);
        edge.fold(last, |right, left| node_hash(left, right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog_tiles::tlog::{
        Error, HashReader, record_hash, stored_hash_count, stored_hashes, tree_hash,
    };

    struct Kept(Vec<Hash>);

    impl HashReader for Kept {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
            let at = |index: &u64| self.0.get(usize::try_from(*index).expect("small")).copied();
            indexes
                .iter()
                .map(|index| at(index).ok_or(Error::IndexesNotInTree))
                .collect()
        }
    }

    #[test]
    fn it_is_the_tree_that_others_make() {
        let (mut ours, mut theirs) = (Growing::default(), Kept(Vec::new()));
        assert_eq!(ours.root(), tree_hash(0, &theirs).expect("a root"));
        for number in 0..600_u64 {
            let leaf = number.to_be_bytes();
            let hashes = stored_hashes(number, &leaf, &theirs).expect("hashes");
            assert_eq!(stored_hash_count(number), theirs.0.len() as u64);
            assert_eq!(ours.push(record_hash(&leaf)), hashes);
            theirs.0.extend(hashes);
            assert_eq!(ours.root(), tree_hash(number + 1, &theirs).expect("a root"));
            assert_eq!(ours.size(), number + 1);
        }
    }
}
